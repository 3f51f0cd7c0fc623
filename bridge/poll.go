package bridge

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"covebridge/bridge/backup"
)

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
// runs, or, where a sweep is due or forced, all of them.
func (b *Bridge) poll(ctx context.Context, src Source, force bool) (p *Polled, err error) {
	began := time.Now()
	p = &Polled{Account: src.Name()}
	defer func() {
		p.Duration = time.Since(began)
		if err != nil {
			err = fmt.Errorf("poll %s: %w", src.Name(), errors.Join(err, ctx.Err()))
		}
	}()
	clock, err := src.Clock(ctx)
	if err != nil {
		return p, err
	}
	errands, err := b.plan(ctx, src, clock, force)
	if err != nil {
		return p, err
	}
	p.Elsewhere = true
	for i := 0; i < len(errands); i++ { // reading the last part may show that there is one more
		e, more := errands[i], false
		mine, err := b.leased(ctx, e.name, func(ctx context.Context) (err error) {
			more, err = b.read(ctx, src, e, clock, p)
			return err
		})
		if err != nil {
			return p, err
		}
		p.Elsewhere = p.Elsewhere && !mine
		if more {
			next := b.sweepPart(src, e.part+1, true)
			next.seen = e.seen
			if err := b.Ledger.SetValue(ctx, "parts "+src.Name(), strconv.Itoa(next.part+1)); err != nil {
				return p, err
			}
			errands = append(errands, next)
		}
	}
	if p.Elsewhere {
		return p, nil
	}
	if p.Sweep {
		if err := b.prune(ctx, clock); err != nil {
			return p, err
		}
	}
	return p, b.mark(ctx, "polled "+src.Name(), clock)
}

// read does one errand of a poll, and tells whether the list of devices goes on.
func (b *Bridge) read(ctx context.Context, src Source, e errand, clock time.Time, p *Polled) (more bool, err error) {
	sweep := e.sweep()
	p.Sweep = p.Sweep || sweep
	workers := errgroup.Group{}
	workers.SetLimit(b.Concurrency)
	work := func(key string, do func() error) {
		workers.Go(func() error {
			if err := do(); err != nil && ctx.Err() == nil {
				p.count(&p.Broken)
				b.Log.Error("device not worked on; it will be tried again at the next poll", "account", src.Name(), "device", key, "err", err)
			}
			return nil
		})
	}
	var read int64
	err = src.Devices(ctx, e.sel, func(s backup.Snapshot) error {
		read++
		work(s.Device.Key(), func() error { return b.device(ctx, src, s, e, p) })
		return ctx.Err()
	})
	p.Devices += read
	if err == nil && sweep {
		// Runs of devices that the product shows no more still have to go out.
		err = b.settleUnseen(ctx, src, clock, p, work)
	}
	_ = workers.Wait()
	if err != nil || !sweep {
		return false, err
	}
	// Some devices of a full range may not have been given; half a range is no end.
	return e.last && read > e.sel.Count/2 && e.sel.Count > 0, b.mark(ctx, e.name, clock)
}

// settleUnseen groups what is open of the devices that no sweep showed lately.
func (b *Bridge) settleUnseen(ctx context.Context, src Source, clock time.Time, p *Polled, work func(string, func() error)) error {
	open, err := b.Ledger.OpenDevices(ctx, src.Name())
	if err != nil {
		return err
	}
	for _, d := range open {
		if clock.Sub(d.Seen) > max(b.Sweep, b.Interval) {
			work(d.Key(), func() error {
				defer b.lock(d.Key())()
				return b.settle(ctx, src, d, clock, p)
			})
		}
	}
	return nil
}

// lock keeps two accounts from working on the same device at once.
func (b *Bridge) lock(key string) (unlock func()) {
	m := &b.devices[maphash.String(b.seed, key)%uint64(len(b.devices))]
	m.Lock()
	return m.Unlock
}
