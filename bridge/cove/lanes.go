package cove

import (
	"context"
	"fmt"
	"sync"

	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"
)

// maxLanes is how many hosts' paces are remembered: more than one account's
// devices are spread over.
const maxLanes = 256

// lanes keep the calls to each host to a rate, so that one host's pace does not
// hold up the calls to another.
type lanes struct {
	rate rate.Limit

	mu    sync.Mutex
	hosts map[string]*lane
}

// lane is the way to one host. Only the caller whose turn it is waits for the
// pace and then for a slot: else calls that had waited for their pace would
// all set out at once when slots come free.
type lane struct {
	turn *semaphore.Weighted
	pace *rate.Limiter
}

// wait waits until a call to host may set out, and then holds a slot.
func (l *lanes) wait(ctx context.Context, host string, slots *semaphore.Weighted) error {
	way := l.to(host)
	if err := way.turn.Acquire(ctx, 1); err != nil {
		return err
	}
	defer way.turn.Release(1)
	if err := way.pace.Wait(ctx); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("%w: %w", context.DeadlineExceeded, err) // it would be over before its turn
	}
	return slots.Acquire(ctx, 1)
}

func (l *lanes) to(host string) *lane {
	l.mu.Lock()
	defer l.mu.Unlock()
	if way, ok := l.hosts[host]; ok {
		return way
	}
	if l.hosts == nil {
		l.hosts = map[string]*lane{}
	}
	if len(l.hosts) >= maxLanes {
		for name, way := range l.hosts {
			if way.idle() {
				delete(l.hosts, name)
			}
		}
	}
	way := &lane{turn: semaphore.NewWeighted(1), pace: rate.NewLimiter(l.rate, 1)}
	l.hosts[host] = way
	return way
}

// idle tells whether the lane is as good as a new one.
func (w *lane) idle() bool {
	if !w.turn.TryAcquire(1) {
		return false
	}
	defer w.turn.Release(1)
	return w.pace.Tokens() >= 1
}
