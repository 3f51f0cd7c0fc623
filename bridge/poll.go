package bridge

import (
	"context"
	"fmt"
	"time"

	"covebridge/bridge/collect"
)

// Polled is what one poll of an account came to.
type Polled struct {
	collect.Polled
	Elsewhere bool // another bridge on the same ledger is at it; nothing was done here
}

// poll reads an account once, unless another bridge is at it. The lease saves
// work only: two bridges that poll the same account do no harm.
func (b *Bridge) poll(ctx context.Context, src Source, sweep bool) (Polled, error) {
	name := "poll " + src.Name()
	mine, err := b.Ledger.Lease(ctx, name, b.Ledger.LeaseTime())
	if err != nil || !mine {
		return Polled{Polled: collect.Polled{Account: src.Name()}, Elsewhere: err == nil}, err
	}
	renewing, stop := context.WithCancel(ctx)
	defer stop()
	go b.renew(renewing, name)
	p, err := b.collector.Poll(ctx, src, sweep, b.Ledger.Shared())
	if err == nil && p.Sweep {
		err = b.prune(ctx)
	}
	stop()
	_ = b.Ledger.Unlease(context.WithoutCancel(ctx), name) // it ends by itself
	return Polled{Polled: p}, err
}

// renew keeps a lease until ctx ends.
func (b *Bridge) renew(ctx context.Context, name string) {
	tick := time.NewTicker(b.Ledger.LeaseTime() / 4)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			_, _ = b.Ledger.Lease(ctx, name, b.Ledger.LeaseTime())
		}
	}
}

const (
	day = 24 * time.Hour
	// retention is how long the ledger keeps mails and audit trails.
	retention = 90 * day
)

// prune forgets, once a day, what is older than retention. It follows a sweep that
// went well: after one that failed, old entries may be all there is.
func (b *Bridge) prune(ctx context.Context) error {
	text, err := b.Ledger.Value(ctx, "pruned")
	if err != nil {
		return err
	}
	now := time.Now()
	if last, err := time.Parse(time.RFC3339, text); err == nil && now.Sub(last) < day && !now.Before(last) {
		return nil
	}
	if err := b.Ledger.Prune(ctx, now.Add(-retention)); err != nil {
		return fmt.Errorf("prune the ledger: %w", err)
	}
	return b.Ledger.SetValue(ctx, "pruned", now.UTC().Format(time.RFC3339))
}
