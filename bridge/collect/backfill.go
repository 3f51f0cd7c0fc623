package collect

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gobwas/glob"

	"covebridge/bridge/backup"
)

// Span says which runs a backfill sends: those that ended in [Since, Until),
// of the customers and devices that the globs let through.
type Span struct {
	Since, Until       time.Time // Until zero: up to now
	Customers, Devices Globs
	DryRun             bool // count, but record and send nothing
}

// Check tells of a pattern of the span's that is none.
func (s Span) Check() error {
	for _, list := range []struct {
		name  string
		globs Globs
	}{{"customer", s.Customers}, {"device", s.Devices}} {
		for _, pattern := range slices.Concat(list.globs.Include, list.globs.Exclude) {
			if _, err := glob.Compile(pattern); err != nil || pattern == "" {
				return fmt.Errorf("%s: %q is no pattern (*, ?, [abc] and {a,b} have a meaning; write \\ before one that has none)", list.name, pattern)
			}
		}
	}
	return nil
}

// Backfill queues the runs of a span that were never sent, for all accounts.
// What it did is in the ledger, device by device, so that it can be stopped and
// begun again; what was queued before stays queued once.
func (c *Collector) Backfill(ctx context.Context, span Span, report func(Progress)) (runs int, err error) {
	var failed []error
	for _, src := range c.Sources {
		if !span.DryRun { // what is new goes its ordinary way first
			if _, err := c.Poll(ctx, src, true, false); err != nil {
				failed = append(failed, err)
				continue
			}
		}
		var found []backup.Device
		err := src.Devices(ctx, backup.Selection{}, func(r backup.Row) error {
			d := r.Snapshot().Device
			if d.Name != "" && span.Customers.excludes(d.Customer) == "" && span.Devices.excludes(d.Name, d.Alias) == "" {
				found = append(found, d)
			}
			return ctx.Err()
		})
		if err != nil {
			failed = append(failed, fmt.Errorf("read the devices of %s: %w", src.Name(), err))
		}
		done := Progress{Account: src.Name(), Total: int64(len(found))}
		report(done) // anew: the poll before came to all of them
		for _, d := range found {
			n, err := c.backfill(ctx, src, d, span)
			if ctx.Err() != nil {
				return runs, ctx.Err()
			}
			if err != nil {
				failed = append(failed, fmt.Errorf("device %s: %w", d.Name, err))
			}
			runs += n
			done.Done, done.Runs = done.Done+1, done.Runs+int64(n)
			report(done)
		}
	}
	return runs, errors.Join(failed...)
}

// backfill queues the runs of one device.
func (c *Collector) backfill(ctx context.Context, src Source, d backup.Device, span Span) (n int, err error) {
	var history []backup.Session
	for _, back := range []time.Duration{24 * time.Hour, 4 * 24 * time.Hour} { // until no run is cut in two, within reason
		if history, err = src.Sessions(ctx, d, span.Since.Add(-back), time.Time{}); err != nil {
			return 0, err
		}
		if backup.Anchored(history, c.Rules.Window, span.Since) {
			break
		}
	}
	for range maxRetries {
		record, err := c.Journals.Load(ctx, d.Key())
		if err != nil {
			return 0, err
		}
		if record.Version > 0 && record.Account != src.Name() {
			return 0, nil
		}
		record.Journal.Device = record.Journal.Device.Update(d)
		step, old, err := c.spanStep(ctx, src, record, history, span)
		n = len(step.Entries) + len(old)
		if err != nil || span.DryRun || n == 0 {
			return n, err
		}
		stale, err := c.Journals.Commit(ctx, []backup.Step{step})
		if err != nil {
			return 0, err
		}
		if len(stale) > 0 {
			continue
		}
		for _, e := range old {
			if err := c.Journals.Resend(ctx, e); err != nil {
				return n, err
			}
		}
		c.OnQueued()
		return n, nil
	}
	return 0, errors.New("other bridges work on it all the time")
}

// spanStep decides what of a device is to be sent: new runs, and old ones that
// are on record as not sent.
func (c *Collector) spanStep(ctx context.Context, src Source, record backup.Record, history []backup.Session, span Span) (step backup.Step, old []backup.Entry, err error) {
	now := c.Now().UTC().Round(0)
	j := record.Journal.Clone()
	s := deviceTask{look: &backup.Look{Now: now, Trusted: now}}
	p := &poll{Collector: c, src: src}
	step = backup.Step{Key: j.Device.Key(), Due: now}
	for _, run := range j.Span(history, c.Rules, span.Since, span.Until, *s.look) {
		state, err := c.Journals.State(ctx, run.ID)
		if err != nil {
			return step, nil, err
		}
		e := p.judge(&run, s.look)
		if state != "" && state != backup.EntryBaseline || e.State != backup.EntryQueued {
			continue
		}
		if !span.DryRun {
			if _, err := p.errorTexts(ctx, &s, &j, &run); err != nil {
				return step, nil, err
			}
			if e.Run = run.Run; c.render(&e) != nil {
				continue
			}
		}
		j.SentLater(run)
		if state == backup.EntryBaseline {
			old = append(old, e)
		} else {
			step.Entries = append(step.Entries, e)
		}
	}
	record.Account, record.Journal = src.Name(), j
	step.Record = record
	return step, old, nil
}
