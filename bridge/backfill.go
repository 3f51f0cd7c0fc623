package bridge

import (
	"context"
	"errors"
	"fmt"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/ledger"
)

// Span says which runs a backfill sends: those that ended in [Since, Until),
// of the customers and devices that the globs let through.
type Span struct {
	Since, Until       time.Time
	Customers, Devices Globs
	DryRun             bool // count, but record and send nothing
}

// Progress is told of as a backfill goes on.
type Progress struct {
	Device      string
	Done, Total int // devices
	Runs        int // runs queued so far
}

// Backfill queues the runs of a span that were never sent, for all accounts.
// What it did is in the ledger, device by device, so that it can be stopped and
// begun again; what was queued before stays queued once.
func (b *Bridge) Backfill(ctx context.Context, span Span, progress func(Progress)) (runs int, err error) {
	var broken []error
	for _, src := range b.Sources {
		var snaps []backup.Snapshot
		err := src.Devices(ctx, backup.Selection{}, func(s backup.Snapshot) error {
			if span.Customers.stop(s.Device.Customer) == "" && span.Devices.stop(s.Device.Name, s.Device.Alias) == "" {
				snaps = append(snaps, s)
			}
			return nil
		})
		if err != nil {
			broken = append(broken, fmt.Errorf("read the devices of %s: %w", src.Name(), err))
			continue
		}
		for i, s := range snaps {
			n, err := b.backfill(ctx, src, s, span)
			if ctx.Err() != nil {
				return runs, ctx.Err()
			}
			if err != nil {
				broken = append(broken, fmt.Errorf("device %s: %w", s.Device.Name, err))
			}
			runs += n
			progress(Progress{Device: s.Device.Name, Done: i + 1, Total: len(snaps), Runs: runs})
		}
	}
	return runs, errors.Join(broken...)
}

// backfill queues the runs of one device.
func (b *Bridge) backfill(ctx context.Context, src Source, snap backup.Snapshot, span Span) (int, error) {
	key := snap.Device.Key()
	defer b.lock(key)()
	d, found, err := b.Ledger.Device(ctx, key)
	if err != nil || !b.owns(src, d, snap.At) {
		return 0, err
	}
	if !found {
		// The next poll goes on from here; what lies before is for backfills.
		d.First, d.Baseline, d.HistoryTo = snap.At, snap.At.Add(-b.Baseline), snap.At.Add(-b.Baseline)
		d.Account, d.Device = src.Name(), snap.Device
	}
	history, err := b.anchored(ctx, src, snap.Device, span.Since, time.Time{})
	if err != nil {
		return 0, err
	}
	since := span.Since
	for _, s := range history {
		if s.Start.Before(since) {
			since = s.Start
		}
	}
	known, err := b.Ledger.Sessions(ctx, key, since.Add(-surroundings))
	if err != nil {
		return 0, err
	}
	merged := backup.Merge(known, history)
	if !span.DryRun {
		if err := b.Ledger.Record(ctx, d, news(known, merged)); err != nil {
			return 0, err
		}
		if merged, err = b.Ledger.Sessions(ctx, key, since.Add(-surroundings)); err != nil {
			return 0, err
		}
	}
	return b.sendSpan(ctx, src, d, merged, snap.At, span)
}

// sendSpan queues the runs that ended in the span and were not sent.
func (b *Bridge) sendSpan(ctx context.Context, src Source, d ledger.Device, sessions []backup.Session, at time.Time, span Span) (n int, err error) {
	for _, g := range backup.Groups(d.Device, sessions, b.Rules, at) {
		if g.Open != "" || g.End.Before(span.Since) || !g.End.Before(span.Until) {
			continue
		}
		e, _, err := b.Ledger.Entry(ctx, g.ID)
		if err != nil && !errors.Is(err, ledger.ErrUnknown) {
			return n, err
		}
		if err == nil && e.State != ledger.Baseline {
			continue
		}
		n++
		if span.DryRun {
			continue
		}
		if err := b.sendOld(ctx, src, d, g.Run, err == nil, at); err != nil {
			return n, err
		}
	}
	return n, nil
}

// sendOld queues a run that was not sent, or not even known, however old it is.
// The mailbox is asked first: another ledger may have sent it.
func (b *Bridge) sendOld(ctx context.Context, src Source, d ledger.Device, run backup.Run, known bool, at time.Time) error {
	d.Baseline, d.Seen, d.First = time.Time{}, time.Time{}, at
	if _, err := b.texts(ctx, src, d, &run, at.AddDate(1, 0, 0)); err != nil {
		return err
	}
	if !known {
		return b.queue(ctx, d, run, &Polled{})
	}
	e := b.judge(d, &run)
	if e.State != ledger.Queued {
		return nil
	}
	if err := b.complete(ctx, &run); err != nil {
		return err
	}
	e.Run = run
	if b.render(&e); e.Mail == nil {
		return errors.New(e.Reason)
	}
	return b.Ledger.Resend(ctx, e)
}
