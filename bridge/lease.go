package bridge

import (
	"context"
	"errors"
	"time"

	"covebridge/bridge/ledger"
)

const (
	renewal = ledger.LeaseTime / 4
	// unsure is after how long without a renewal work is broken off: early
	// enough that it has ended before another bridge takes it over.
	unsure = ledger.LeaseTime * 2 / 3
)

// errUnleased ends work that another bridge may take over soon.
var errUnleased = errors.New("the ledger can't be reached to renew the lease; another bridge may take over")

// leased does work that only one bridge of those on the ledger may do at a
// time. mine: it was free, and was done. It is broken off when its lease can't
// be renewed.
func (b *Bridge) leased(ctx context.Context, name string, work func(context.Context) error) (mine bool, err error) {
	mine, err = b.Ledger.Lease(ctx, name, ledger.LeaseTime)
	if err != nil || !mine {
		return false, err
	}
	working, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	go b.renew(working, stop, func(ctx context.Context) error {
		if mine, err := b.Ledger.Lease(ctx, name, ledger.LeaseTime); err != nil || mine {
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
// not worked for too long.
func (b *Bridge) renew(ctx context.Context, stop context.CancelCauseFunc, again func(context.Context) error) {
	tick := time.NewTicker(renewal)
	defer tick.Stop()
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		try, done := context.WithTimeout(ctx, renewal*2/3)
		err := again(try)
		done()
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			last = time.Now()
		case errors.Is(err, errUnleased), time.Since(last) >= unsure:
			b.Log.Error("work is broken off", "err", errors.Join(errUnleased, err))
			stop(errUnleased)
			return
		default:
			b.Log.Warn("leases were not renewed", "err", err)
		}
	}
}
