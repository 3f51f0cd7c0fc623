package covesim

import (
	"sync/atomic"
	"time"
)

// clock is the simulator's: a start, a speed, and the leaps made since.
type clock struct {
	begin time.Time // simulated
	real  time.Time
	speed float64
	leaps atomic.Int64 // nanoseconds
}

func (c *clock) start(begin time.Time, speed float64) {
	c.begin, c.real, c.speed = begin, time.Now(), speed
}

// Now reads the simulator's clock, in UTC.
func (s *Sim) Now() time.Time {
	c := &s.clock
	ran := time.Duration(float64(time.Since(c.real)) * c.speed)
	return c.begin.Add(ran + time.Duration(c.leaps.Load()))
}

// Advance moves the clock by d at once; what happened meanwhile has happened.
func (s *Sim) Advance(d time.Duration) { s.clock.leaps.Add(int64(d)) }
