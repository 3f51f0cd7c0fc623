package bridge

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/ledger"
	"covebridge/bridge/message"
)

func (p *Polled) count(n *int64) { atomic.AddInt64(n, 1) }

// settle groups the device's sessions, as they were known at the product's
// time at, and puts the runs that are ready into the outbox, oldest first.
func (b *Bridge) settle(ctx context.Context, src Source, d ledger.Device, at time.Time, p *Polled) error {
	sessions, err := b.nearOpen(ctx, d, at)
	if err != nil || len(sessions) == 0 {
		return err
	}
	for _, g := range b.groups(d, sessions, at) {
		var run backup.Run
		switch {
		case g.Sent:
			continue
		case g.Open == "":
			run = g.Run
		case g.Unfinished() && b.MaxWait > 0 && at.Sub(g.Start) > b.MaxWait:
			run = g.Overdue(b.MaxWait, at)
			told, err := b.Ledger.State(ctx, run.ID)
			if err != nil {
				return err
			}
			if told != "" {
				continue
			}
		default:
			continue
		}
		wait, err := b.texts(ctx, src, d, &run, at)
		if err != nil {
			return err
		}
		if wait {
			continue
		}
		if err := b.queue(ctx, d, run, p); err != nil {
			return err
		}
	}
	return nil
}

// groups puts sessions into runs. Those of data sources that are filtered out
// make runs of their own, so that they neither delay nor colour the others.
func (b *Bridge) groups(d ledger.Device, sessions []backup.Session, at time.Time) []backup.Group {
	var wanted, unwanted []backup.Session
	for _, s := range sessions {
		if b.Filter.source(s.Source) == "" {
			wanted = append(wanted, s)
		} else {
			unwanted = append(unwanted, s)
		}
	}
	return append(backup.Groups(d.Device, wanted, b.Rules, at), backup.Groups(d.Device, unwanted, backup.Rules{BySource: true}, at)...)
}

// nearOpen gives the device's open sessions and those around them.
func (b *Bridge) nearOpen(ctx context.Context, d ledger.Device, at time.Time) ([]backup.Session, error) {
	open, err := b.Ledger.Sessions(ctx, d.Key(), at.AddDate(100, 0, 0))
	if err != nil || len(open) == 0 {
		return nil, err
	}
	return b.Ledger.Sessions(ctx, d.Key(), open[0].Start.Add(-surroundings))
}

// queue decides what becomes of a run, completes it, and commits it.
func (b *Bridge) queue(ctx context.Context, d ledger.Device, run backup.Run, p *Polled) error {
	e := b.judge(d, &run)
	if e.State == ledger.Queued {
		if err := b.complete(ctx, &run); err != nil {
			return err
		}
	}
	e.Run = run
	if e.State == ledger.Queued {
		b.render(&e)
	}
	added, err := b.Ledger.Commit(ctx, e)
	if isLost(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("queue run %s: %w", run.ID, err)
	}
	if added > 0 && e.State == ledger.Queued {
		p.count(&p.Queued)
		b.ring()
	}
	return nil
}

// judge names the run's job and says whether it is to be mailed. Mails about
// runs that began before the device was first seen may have gone out before
// the ledger was made, so that the mailbox is asked.
func (b *Bridge) judge(d ledger.Device, run *backup.Run) ledger.Entry {
	e := ledger.Entry{Account: d.Account, State: ledger.Queued, MessageID: message.ID(run.ID), Doubt: run.Start.Before(d.First)}
	job, err := b.Job.Name(*run)
	if err != nil {
		e.State, e.Reason = ledger.Failed, "job.name: "+err.Error()
	}
	run.Job = job
	rule := b.Filter.stops(*run)
	if len(run.Sessions) > 0 && rule == "" {
		rule = b.Filter.source(run.Sessions[0].Source)
	}
	switch {
	case run.Kind == backup.Whole && !run.End.After(d.Baseline):
		e.State, e.Reason = ledger.Baseline, "ended before "+d.Baseline.UTC().Format(time.RFC3339)+", poll.backfill before the device was first seen"
	case run.Kind == backup.Whole && d.Seen.Sub(run.End) > reach:
		e.State, e.Reason = ledger.Baseline, fmt.Sprintf("ended more than %d days before it was found; `covebridge backfill` sends it", reach/day)
	case rule != "":
		e.State, e.Reason = ledger.Filtered, rule
	}
	return e
}

// render makes the entry's mail. A run that can't be rendered is kept as
// failed, with its cause.
func (b *Bridge) render(e *ledger.Entry) {
	m, err := b.Renderer.Render(e.Run)
	if err != nil {
		e.State, e.Reason, e.Mail = ledger.Failed, "the mail could not be made: "+err.Error(), nil
		b.Log.Error("the mail of a run could not be made; `covebridge resend` tries it again", "run", e.Run.ID, "err", err)
		return
	}
	e.Mail = m.Bytes
}

// texts reads the error texts of the sessions that did not end clean. wait: they
// can't be had now, and the run is young enough to wait for the next poll.
func (b *Bridge) texts(ctx context.Context, src Source, d ledger.Device, run *backup.Run, at time.Time) (wait bool, err error) {
	if b.judge(d, run).State != ledger.Queued {
		return false, nil
	}
	run.Sessions = slices.Clone(run.Sessions)
	for i := range run.Sessions {
		s := &run.Sessions[i]
		if !s.Finished() || s.Clean() {
			continue
		}
		switch {
		case s.ID != "":
			var cause error
			if s.Errors, cause = src.Errors(ctx, d.Device, *s); cause != nil {
				s.ErrorsMissing = oneLine(cause.Error())
			}
			if ctx.Err() != nil {
				return false, ctx.Err()
			}
		case d.NoHistory != "":
			s.ErrorsMissing = d.NoHistory
		default:
			s.ErrorsMissing = "only the statistics tell of this session"
		}
		if s.ErrorsMissing != "" && b.History && at.Sub(run.End) < 2*b.Interval {
			return true, nil
		}
	}
	return false, nil
}
