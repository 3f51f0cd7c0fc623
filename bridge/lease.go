package bridge

import (
	"context"
	"errors"
	"time"
)

// errUnleased ends work that another bridge may take over soon.
var errUnleased = errors.New("the ledger can't be reached to renew the lease; another bridge may take over")

// leased does work that only one bridge of those on the ledger may do at a
// time. mine: it was free, and was done. It is broken off when its lease can't
// be renewed.
func (b *Bridge) leased(ctx context.Context, name string, work func(context.Context) error) (mine bool, err error) {
	mine, err = b.Ledger.Lease(ctx, name, b.Ledger.LeaseTime())
	if err != nil || !mine {
		return false, err
	}
	working, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	go b.renew(working, stop, func(ctx context.Context) error {
		if mine, err := b.Ledger.Lease(ctx, name, b.Ledger.LeaseTime()); err != nil || mine {
			return err
		}
		return errUnleased
	})
	err = work(working)
	if err != nil && errors.Is(context.Cause(working), errUnleased) {
		err = errors.Join(err, errUnleased)
	}
	// A lease that is not given back ends by itself.
	_ = b.Ledger.Unlease(context.WithoutCancel(ctx), name)
	return true, err
}

// renew renews again and again until ctx ends, and calls stop once that has
// not worked for two thirds of a lease: early enough that work has ended before
// another bridge takes it over.
func (b *Bridge) renew(ctx context.Context, stop context.CancelCauseFunc, again func(context.Context) error) {
	lease := b.Ledger.LeaseTime()
	tick := time.NewTicker(lease / 4)
	defer tick.Stop()
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		try, done := context.WithTimeout(ctx, lease/6)
		err := again(try)
		done()
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			last = time.Now()
		case errors.Is(err, errUnleased), time.Since(last) >= lease*2/3:
			b.Log.Error("work is broken off", "err", errors.Join(errUnleased, err))
			stop(errUnleased)
			return
		default:
			b.Log.Warn("leases were not renewed", "err", err)
		}
	}
}
