package bridge

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"covebridge/bridge/backup"
)

// maxOpen is how many devices with unfinished runs a poll asks for by their
// ids; with more of them it reads every device.
const maxOpen = 500

// Polled is what one poll of an account came to.
type Polled struct {
	Account   string
	Elsewhere bool  // another bridge on the same ledger is at it; nothing was done here
	Sweep     bool  // every device was read
	Devices   int64 // devices read
	Changed   int64 // of them, with news
	Queued    int64 // runs that are to be mailed
	Broken    int64 // devices that could not be worked on; each was logged
	Duration  time.Duration
}

// poll reads an account once: the devices that changed and those with open
// runs, or, when a sweep is due or forced, all of them.
func (b *Bridge) poll(ctx context.Context, src Source, sweep bool) (p *Polled, err error) {
	began := time.Now()
	p = &Polled{Account: src.Name()}
	defer func() { p.Duration = time.Since(began) }()
	clock, err := src.Clock(ctx)
	if err != nil {
		return p, fmt.Errorf("poll %s: %w", src.Name(), err)
	}
	sel, err := b.selection(ctx, src, clock, sweep)
	if err != nil {
		return p, fmt.Errorf("poll %s: %w", src.Name(), err)
	}
	p.Sweep = sel.Since == 0
	workers := errgroup.Group{}
	workers.SetLimit(b.Concurrency)
	work := func(key string, do func() error) {
		workers.Go(func() error {
			if err := do(); err != nil && ctx.Err() == nil {
				atomic.AddInt64(&p.Broken, 1)
				b.Log.Error("device not worked on; it will be tried again at the next poll", "account", src.Name(), "device", key, "err", err)
			}
			return nil
		})
	}
	err = src.Devices(ctx, sel, func(s backup.Snapshot) error {
		p.Devices++
		work(s.Device.Key(), func() error { return b.device(ctx, src, s, p) })
		return ctx.Err()
	})
	_ = workers.Wait()
	if err == nil && p.Sweep {
		// Runs of devices that the product shows no more still have to go out.
		err = b.settleUnseen(ctx, src, clock, p, work)
		_ = workers.Wait()
	}
	if err == nil {
		err = b.polled(ctx, src, clock, p.Sweep)
	}
	if err != nil {
		return p, fmt.Errorf("poll %s: %w", src.Name(), errors.Join(err, ctx.Err()))
	}
	return p, nil
}

// selection says which devices this poll asks for.
func (b *Bridge) selection(ctx context.Context, src Source, clock time.Time, sweep bool) (sel backup.Selection, err error) {
	last, err := b.stamp(ctx, "polled "+src.Name())
	if err != nil {
		return sel, err
	}
	swept, err := b.stamp(ctx, "swept "+src.Name())
	if err != nil || sweep || clock.Before(last) || clock.Sub(swept) >= b.Sweep {
		return sel, err
	}
	open, err := b.Ledger.OpenDevices(ctx, src.Name())
	if err != nil || len(open) > maxOpen {
		return sel, err
	}
	// An hour more than needed: what the time stamp means is not settled.
	sel.Since = clock.Sub(last) + time.Hour
	for _, d := range open {
		sel.IDs = append(sel.IDs, d.ID)
	}
	return sel, nil
}

// settleUnseen groups what is open of the devices that a sweep did not show.
func (b *Bridge) settleUnseen(ctx context.Context, src Source, clock time.Time, p *Polled, work func(string, func() error)) error {
	open, err := b.Ledger.OpenDevices(ctx, src.Name())
	if err != nil {
		return err
	}
	for _, d := range open {
		if d.Seen.Before(clock.Add(-time.Minute)) {
			work(d.Key(), func() error {
				defer b.lock(d.Key())()
				return b.settle(ctx, src, d, clock, p)
			})
		}
	}
	return nil
}

// polled remembers a poll that went well; the next one starts from it.
func (b *Bridge) polled(ctx context.Context, src Source, clock time.Time, sweep bool) error {
	names := []string{"polled "}
	if sweep {
		names = append(names, "swept ")
	}
	for _, name := range names {
		if err := b.Ledger.SetValue(ctx, name+src.Name(), clock.UTC().Format(time.RFC3339)); err != nil {
			return err
		}
	}
	return nil
}

func (b *Bridge) stamp(ctx context.Context, key string) (time.Time, error) {
	text, err := b.Ledger.Value(ctx, key)
	if err != nil || text == "" {
		return time.Time{}, err
	}
	return time.Parse(time.RFC3339, text)
}

// lock keeps two accounts from working on the same device at once.
func (b *Bridge) lock(key string) (unlock func()) {
	m := &b.devices[maphash.String(b.seed, key)%uint64(len(b.devices))]
	m.Lock()
	return m.Unlock
}
