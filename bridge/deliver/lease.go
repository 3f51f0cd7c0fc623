package deliver

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

var (
	errUnleased = errors.New("the leases could not be renewed in time, so that another covebridge may take over")
	errStopped  = errors.New("covebridge was told to stop")
)

// flight is what the deliveries in the air hang on. It can be broken off, and is
// there anew for those that follow.
type flight struct {
	mu     sync.Mutex
	ground context.Context // of all flights
	ctx    context.Context
	cancel context.CancelCauseFunc
}

func newFlight(ground context.Context) *flight {
	f := &flight{ground: ground}
	f.ctx, f.cancel = context.WithCancelCause(ground)
	return f
}

// context is what a delivery that begins now hangs on.
func (f *flight) context() context.Context {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ctx
}

// breakOff ends what is in the air.
func (f *flight) breakOff(cause error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cancel(cause)
	f.ctx, f.cancel = context.WithCancelCause(f.ground)
}

// guard breaks off what is in the air where its leases were not renewed for two
// thirds of a lease: early enough that it has ended before another bridge takes
// the mails. That may happen many times.
type guard struct {
	mu    sync.Mutex
	limit time.Duration
	timer *time.Timer
	armed bool
}

func newGuard(lease time.Duration, over func()) *guard {
	g := &guard{limit: lease * 2 / 3}
	g.timer = time.AfterFunc(g.limit, func() {
		g.mu.Lock()
		g.armed = false
		g.mu.Unlock()
		over()
	})
	g.armed = true
	return g
}

// renewed says that all leases count from then.
func (g *guard) renewed(then time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.armed = true
	g.timer.Reset(g.limit - time.Since(then))
}

// begun says that some leases count from then. What else is in the air has older
// ones, unless all of it was broken off.
func (g *guard) begun(then time.Time) {
	g.mu.Lock()
	armed := g.armed
	g.mu.Unlock()
	if !armed {
		g.renewed(then)
	}
}

// renew keeps the leases until ctx ends, and the guard informed.
func (r *run) renew(ctx context.Context) {
	lease := r.Outbox.LeaseTime()
	defer r.guard.timer.Stop()
	tick := time.NewTicker(lease / 4)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		began := time.Now()
		try, done := context.WithTimeout(ctx, lease/6)
		err := r.Outbox.Renew(try)
		done()
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			r.guard.renewed(began)
		default:
			r.ledgerFailed(fmt.Errorf("renew leases: %w", err))
		}
	}
}

// unleased breaks off what is in the air, apart from the loop and from renew,
// for Renew may hang.
func (r *run) unleased() {
	r.ledgerFailed(errUnleased)
	r.flight.breakOff(errUnleased)
}
