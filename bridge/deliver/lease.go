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

// inFlight is what the deliveries in the air hang on. It can be broken off, and is
// there anew for those that follow.
type inFlight struct {
	mu     sync.Mutex
	parent context.Context // of all flights
	ctx    context.Context
	cancel context.CancelCauseFunc
}

func newInFlight(ground context.Context) *inFlight {
	f := &inFlight{parent: ground}
	f.ctx, f.cancel = context.WithCancelCause(ground)
	return f
}

// context is what a delivery that begins now hangs on.
func (f *inFlight) context() context.Context {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ctx
}

// cancelAll ends what is in the air.
func (f *inFlight) cancelAll(cause error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cancel(cause)
	f.ctx, f.cancel = context.WithCancelCause(f.parent)
}

// leaseGuard breaks off what is in the air where its leases were not renewed for two
// thirds of a lease: early enough that it has ended before another bridge takes
// the mails. That may happen many times.
type leaseGuard struct {
	mu    sync.Mutex
	limit time.Duration
	timer *time.Timer
	armed bool
}

func newLeaseGuard(lease time.Duration, over func()) *leaseGuard {
	g := &leaseGuard{limit: lease * 2 / 3}
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
func (g *leaseGuard) renewed(then time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.armed = true
	g.timer.Reset(g.limit - time.Since(then))
}

// leased says that some leases count from then. What else is in the air has older
// ones, unless all of it was broken off.
func (g *leaseGuard) leased(then time.Time) {
	g.mu.Lock()
	armed := g.armed
	g.mu.Unlock()
	if !armed {
		g.renewed(then)
	}
}

// renew keeps the leases until ctx ends, and tells their guard.
func (r *run) renew(ctx context.Context) {
	lease := r.Outbox.LeaseTime()
	defer r.leases.timer.Stop()
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
			r.leases.renewed(began)
		default:
			r.ledgerFailed(fmt.Errorf("renew leases: %w", err))
		}
	}
}

// leasesExpired breaks off what is in the air, apart from the loop and from renew,
// for Renew may hang.
func (r *run) leasesExpired() {
	r.ledgerFailed(errUnleased)
	r.inFlight.cancelAll(errUnleased)
}
