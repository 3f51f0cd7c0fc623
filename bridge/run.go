package bridge

import (
	"context"
	"errors"
	"sync"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/collect"
	"covebridge/bridge/deliver"
)

// Summary is what one pass came to.
type Summary struct {
	Polled    []Polled
	Delivered deliver.Counts
	// Waiting is how many mails are left to be tried again.
	Waiting int
}

// Run polls every account at its interval and delivers, until ctx ends.
func (b *Bridge) Run(ctx context.Context) {
	b.warnUnreadable()
	var all sync.WaitGroup
	if b.Name != "" {
		b.restoreAccounts(ctx)
		all.Go(func() { b.monitor(ctx) })
	}
	watched := b.collector.OnProgress
	b.OnProgress(func(p collect.Progress) {
		b.self.watchdog.expect(polling+p.Account, pollTimeout)
		if watched != nil {
			watched(p)
		}
	})
	if b.page != nil {
		all.Go(func() { b.serve(ctx) })
	}
	var first sync.WaitGroup
	for _, src := range b.Sources {
		first.Add(1)
		all.Go(func() { b.pollLoop(ctx, src, sync.OnceFunc(first.Done)) })
	}
	if b.OnPolled != nil {
		all.Go(func() { first.Wait(); b.OnPolled() })
	}
	counts := b.deliverer.Run(ctx)
	b.self.watchdog.remove(delivery)
	all.Wait()
	b.Log.Info("stopped", "sent", counts.Sent, "failed", counts.Failed)
}

// pollLoop polls one account at its interval, and tells of the first poll when it
// is over. The account's troubles are its own.
func (b *Bridge) pollLoop(ctx context.Context, src Source, first func()) {
	defer first()
	part := polling + src.Name()
	defer b.self.watchdog.remove(part)
	tick := time.NewTicker(b.Interval)
	defer tick.Stop()
	for {
		began := time.Now()
		b.self.watchdog.expect(part, pollTimeout)
		p, err := b.poll(ctx, src, false)
		if ctx.Err() != nil {
			return
		}
		first()
		b.reportPoll(p, err)
		b.Metrics.Poll(src.Name(), outcome(p, err))
		if errors.Is(err, backup.ErrRefused) {
			b.self.notePoll(p, err, time.Time{})
			return // until the configuration changes
		}
		b.self.notePoll(p, err, began.Add(b.Interval))
		b.self.watchdog.expect(part, b.Interval+pollTimeout)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-b.pollRequests[src.Name()]:
		}
	}
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
	if b.Name != "" {
		b.restoreAccounts(ctx)
	}
	for _, src := range b.Sources {
		polls.Go(func() {
			p, err := b.poll(ctx, src, true)
			if err == nil || b.Name != "" && ctx.Err() == nil {
				b.reportPoll(p, err)
			}
			b.self.notePoll(p, err, time.Time{})
			mu.Lock()
			defer mu.Unlock()
			s.Polled = append(s.Polled, p)
			errs = append(errs, err)
		})
	}
	go func() {
		defer close(done)
		polls.Wait()
		if b.OnPolled != nil {
			b.OnPolled()
		}
		if b.Name != "" {
			b.examine(context.WithoutCancel(ctx)) // before the delivery ends: it may queue a heartbeat
		}
	}()
	s.Delivered = b.deliverer.DrainUntil(ctx, done)
	<-done
	if b.Name != "" {
		b.publish(context.WithoutCancel(ctx), time.Now().Add(onceExpiry))
	}
	waiting, err := b.Ledger.Waiting(context.WithoutCancel(ctx))
	s.Waiting = waiting
	return s, errors.Join(append(errs, err, ctx.Err())...)
}

// OnProgress has f told how polls go on, from several goroutines. It is to be called
// before the first poll.
func (b *Bridge) OnProgress(f func(collect.Progress)) { b.collector.OnProgress = f }

// Drain delivers what is due, then ends: for what Resend or Backfill queued.
func (b *Bridge) Drain(ctx context.Context) deliver.Counts { return b.deliverer.Drain(ctx) }
