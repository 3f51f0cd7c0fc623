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
	Since, Until       time.Time // Until zero: up to now
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

// sendSpan queues the runs that ended in the span and were not sent, however
// old they are. The mailbox is asked first: another ledger may have sent them.
func (b *Bridge) sendSpan(ctx context.Context, src Source, d ledger.Device, sessions []backup.Session, at time.Time, span Span) (n int, err error) {
	d.Baseline, d.Seen, d.First = time.Time{}, time.Time{}, at
	for _, g := range b.groups(d, sessions, at) {
		if g.Open != "" || g.End.Before(span.Since) || !span.Until.IsZero() && !g.End.Before(span.Until) {
			continue
		}
		state, err := b.Ledger.State(ctx, g.ID)
		if err != nil {
			return n, err
		}
		run := g.Run
		if state != "" && state != ledger.Baseline || b.judge(d, &run).State != ledger.Queued {
			continue
		}
		n++
		if span.DryRun {
			continue
		}
		if _, err := b.texts(ctx, src, d, &run, at.AddDate(1, 0, 0)); err != nil {
			return n, err
		}
		if state == "" {
			err = b.queue(ctx, d, run, &Polled{})
		} else {
			err = b.requeue(ctx, d, run)
		}
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// requeue queues a run that is on record as one not to be sent.
func (b *Bridge) requeue(ctx context.Context, d ledger.Device, run backup.Run) error {
	e := b.judge(d, &run)
	if err := b.complete(ctx, &run); err != nil {
		return err
	}
	e.Run = run
	if b.render(&e); e.Mail == nil {
		return errors.New(e.Reason)
	}
	return b.Ledger.Resend(ctx, e)
}
