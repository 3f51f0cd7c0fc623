package main

import "time"

// pace tells how long something still takes from how fast it went lately: the
// first seconds, which open connections and log in, soon count no more.
type pace struct{ seen []sample }

type sample struct {
	at   time.Time
	done int64
}

const (
	lately   = 30 * time.Second // what counts
	tooEarly = 2 * time.Second  // before that nothing can be said
)

// note notes how much is done by now.
func (p *pace) note(now time.Time, done int64) {
	if n := len(p.seen); n > 0 && (done < p.seen[n-1].done) {
		p.seen = nil // it began anew
	}
	p.seen = append(p.seen, sample{now, done})
	for len(p.seen) > 2 && now.Sub(p.seen[1].at) >= lately {
		p.seen = p.seen[1:]
	}
}

// left is how long the rest takes; 0: that can't be told.
func (p *pace) left(total int64) time.Duration {
	if len(p.seen) == 0 {
		return 0
	}
	first, last := p.seen[0], p.seen[len(p.seen)-1]
	took, done := last.at.Sub(first.at), last.done-first.done
	if took < tooEarly || done <= 0 || total <= last.done {
		return 0
	}
	return time.Duration(float64(took) / float64(done) * float64(total-last.done))
}

// roughly writes a duration as one would say it.
func roughly(d time.Duration) string {
	switch {
	case d < time.Minute:
		return plural(int64(d.Seconds())+1, "second", "seconds")
	case d < 90*time.Minute:
		return plural(int64(d.Minutes()+0.5), "minute", "minutes")
	}
	return plural(int64(d.Hours()+0.5), "hour", "hours")
}
