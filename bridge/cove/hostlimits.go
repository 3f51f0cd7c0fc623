package cove

import (
	"context"
	"fmt"
	"sync"

	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"
)

// maxHosts is how many hosts' paces are remembered: more than one account's
// devices are spread over.
const maxHosts = 256

// hostLimits keep the calls to each host to a rate, so that one host's pace does not
// hold up the calls to another.
type hostLimits struct {
	rate rate.Limit

	mu    sync.Mutex
	hosts map[string]*hostLimit
}

// hostLimit is the way to one host. Only the caller whose turn it is waits for the
// pace and then for a slot: else calls that had waited for their pace would
// all set out at once when slots come free.
type hostLimit struct {
	waiting *semaphore.Weighted
	limiter *rate.Limiter
}

// awaitSlot waits until a call to host may set out, and then holds a slot.
func (l *hostLimits) awaitSlot(ctx context.Context, host string, slots *semaphore.Weighted) error {
	limit := l.get(host)
	if err := limit.waiting.Acquire(ctx, 1); err != nil {
		return err
	}
	defer limit.waiting.Release(1)
	if err := limit.limiter.Wait(ctx); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("%w: %w", context.DeadlineExceeded, err) // it would be over before its turn
	}
	return slots.Acquire(ctx, 1)
}

func (l *hostLimits) get(host string) *hostLimit {
	l.mu.Lock()
	defer l.mu.Unlock()
	if limit, ok := l.hosts[host]; ok {
		return limit
	}
	if l.hosts == nil {
		l.hosts = map[string]*hostLimit{}
	}
	if len(l.hosts) >= maxHosts {
		for name, limit := range l.hosts {
			if limit.idle() {
				delete(l.hosts, name)
			}
		}
	}
	limit := &hostLimit{waiting: semaphore.NewWeighted(1), limiter: rate.NewLimiter(l.rate, 1)}
	l.hosts[host] = limit
	return limit
}

// idle tells whether the limit is as good as a new one.
func (w *hostLimit) idle() bool {
	if !w.waiting.TryAcquire(1) {
		return false
	}
	defer w.waiting.Release(1)
	return w.limiter.Tokens() >= 1
}
