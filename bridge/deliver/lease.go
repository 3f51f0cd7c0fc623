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

// renew keeps the leases until ctx ends. If that has not worked for two thirds
// of a lease, the deliveries in the air are broken off, early enough that they
// have ended before another bridge takes their mails; those that follow have
// leases of their own.
func (r *run) renew(ctx context.Context) {
	lease := r.Outbox.LeaseTime()
	if lease <= 0 {
		return
	}
	over := lease * 2 / 3
	// Apart from the loop, for Renew may hang.
	guard := time.AfterFunc(over, func() { r.unleased(ctx) })
	defer guard.Stop()
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
			guard.Reset(over - time.Since(began))
		default:
			r.ledgerFailed(fmt.Errorf("renew leases: %w", err))
		}
	}
}

func (r *run) unleased(ctx context.Context) {
	if ctx.Err() == nil {
		r.ledgerFailed(errUnleased)
		r.flight.breakOff(errUnleased)
	}
}
