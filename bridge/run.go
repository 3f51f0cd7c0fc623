package bridge

import (
	"context"
	"errors"
	"sync"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/ledger"
)

// Summary is what one pass came to.
type Summary struct {
	Polled    []Polled
	Delivered Delivered
	// Waiting is how many mails are left to be tried again.
	Waiting int
}

// Run polls every account at its interval and delivers, until ctx ends.
func (b *Bridge) Run(ctx context.Context) {
	var all sync.WaitGroup
	for _, src := range b.Sources {
		all.Go(func() { b.follow(ctx, src) })
	}
	counts := b.deliver(ctx, nil)
	all.Wait()
	b.Log.Info("stopped", "sent", counts.Sent, "refused", counts.Refused)
}

// follow polls one account at its interval. The account's troubles are its own.
func (b *Bridge) follow(ctx context.Context, src Source) {
	failures := 0
	tick := time.NewTicker(b.Interval)
	defer tick.Stop()
	for {
		_, err := b.pollLogged(ctx, src, false)
		switch {
		case ctx.Err() != nil:
			return
		case errors.Is(err, backup.ErrRefused):
			b.Log.Error("the account is not polled any more: correct its settings and start again", "account", src.Name(), "err", err)
			return
		case err == nil:
			failures = 0
		default:
			failures++
			report := b.Log.Warn
			if failures > 2 { // one failed poll is no alarm
				report = b.Log.Error
			}
			report("poll failed; the next one makes up for it", "account", src.Name(), "failures", failures, "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// pollLogged polls an account and logs what it came to.
func (b *Bridge) pollLogged(ctx context.Context, src Source, force bool) (*Polled, error) {
	p, err := b.poll(ctx, src, force)
	if err == nil && !p.Elsewhere {
		report := b.Log.Debug
		if p.Changed > 0 || p.Sweep {
			report = b.Log.Info
		}
		report("polled", "account", p.Account, "sweep", p.Sweep, "devices", p.Devices, "changed", p.Changed, "queued", p.Queued, "took", p.Duration.Round(time.Millisecond))
	}
	return p, err
}

// waiting is how many mails are still to be delivered.
func (b *Bridge) waiting(ctx context.Context) (int, error) {
	counts, err := b.Ledger.Counts(ctx)
	return counts[ledger.Queued] + counts[ledger.Sending], err
}

// Once polls every account and delivers what is due, then ends. Its error joins
// those of the accounts.
func (b *Bridge) Once(ctx context.Context) (Summary, error) {
	var (
		s     Summary
		mu    sync.Mutex
		errs  []error
		polls sync.WaitGroup
		done  = make(chan struct{})
	)
	for _, src := range b.Sources {
		polls.Go(func() {
			p, err := b.pollLogged(ctx, src, true)
			mu.Lock()
			defer mu.Unlock()
			s.Polled = append(s.Polled, *p)
			errs = append(errs, err)
		})
	}
	go func() { polls.Wait(); close(done) }()
	s.Delivered = b.deliver(ctx, done)
	<-done
	waiting, err := b.waiting(context.WithoutCancel(ctx))
	s.Waiting = waiting
	return s, errors.Join(append(errs, err, ctx.Err())...)
}
