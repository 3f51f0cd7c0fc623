package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"covebridge/bridge/backup"
)

// Begin says that the delivery of entries that were taken begins now: after it,
// and not before, bytes may go out, but not of those that are lost: their lease
// is over, and this bridge has let go of them. mark tells where to look for the
// mails later; an earlier mark is kept while Doubt is open, for it covers both
// tries. One transaction; after an error nothing has begun, and the entries are
// still this bridge's.
func (l *Ledger) Begin(ctx context.Context, ids []string, mark string) (lost []string, err error) {
	order, devices := l.byDevice(ids)
	err = l.write(ctx, fmt.Sprintf("begin to send %d mails", len(ids)), func(t transaction) error {
		lost = nil
		now, err := t.clock()
		if err != nil {
			return err
		}
		for _, id := range order {
			begun, err := t.begin(id, devices[id], mark, now)
			if err != nil {
				return err
			}
			if !begun {
				lost = append(lost, id)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range order {
		if e, ours := l.taken[id]; ours {
			e.begun = true
			l.taken[id] = e
		}
	}
	for _, id := range lost {
		delete(l.taken, id)
	}
	return lost, nil
}

// begin marks one entry; false: it is not this bridge's any more.
func (t transaction) begin(id, device, mark string, now int64) (bool, error) {
	n, err := t.exec("UPDATE queues SET due = $4 WHERE device = $1 AND head = $2 AND owner = $3 AND (due > $5 OR due < 0)",
		device, id, t.l.owner, t.l.dialect.leaseEnd(now), now)
	if err != nil || n == 0 {
		return false, err
	}
	err = t.row(`UPDATE entries SET state = 'sending', mark = CASE WHEN doubt = 1 AND mark <> '' THEN mark ELSE $2 END,
			opening = `+currentOpening+`, updated = $3
		WHERE id = $1 AND `+waiting+" RETURNING mark", id, mark, now).Scan(&mark)
	if errors.Is(err, sql.ErrNoRows) { // settled by another
		_, err = t.requeue(device, now, true)
		return false, err
	}
	if err != nil {
		return false, err
	}
	return true, t.event(id, now, string(backup.EntrySending), mark)
}

// byDevice gives the ids in the order in which everybody locks devices, and the
// device of each that this bridge took; others have none.
func (l *Ledger) byDevice(ids []string) (order []string, devices map[string]string) {
	devices = map[string]string{}
	l.mu.Lock()
	for _, id := range ids {
		devices[id] = l.taken[id].device
	}
	l.mu.Unlock()
	order = slices.Clone(ids)
	slices.SortFunc(order, func(a, b string) int { return cmp.Or(cmp.Compare(devices[a], devices[b]), cmp.Compare(a, b)) })
	return order, devices
}

// Record records what became of deliveries, in one transaction, and lets go of
// them:
//   - backup.EntrySent, whoever holds the lease, for that a mail is in the
//     mailbox stays true. The first receipt stands.
//   - backup.EntryFailed: final. The device's later mails go on; Resend tries again.
//   - backup.EntryQueued: to be taken again after Outcome.After, at most
//     MaxBackoff. The mark is kept if Outcome.Doubt.
//
// The last two change nothing where another bridge has taken over. Record waits
// for its turn as long as ctx lets it. After an error the outcomes are kept in
// memory, and written by the next Record, Take or Release that succeeds: what
// is not recorded would be sent again.
func (l *Ledger) Record(ctx context.Context, outcomes []backup.Outcome) error {
	for _, o := range outcomes {
		if o.State != backup.EntrySent && o.State != backup.EntryFailed && o.State != backup.EntryQueued {
			return fmt.Errorf("record run %s: a delivery can't end in state %q", o.ID, o.State)
		}
	}
	all := l.takeUnrecorded()
	for _, o := range outcomes {
		all = slices.DeleteFunc(all, func(earlier backup.Outcome) bool { return earlier.ID == o.ID })
		all = append(all, o)
	}
	if len(all) == 0 {
		return nil
	}
	what := fmt.Sprintf("record what became of %d mails", len(all))
	for {
		err := l.write(ctx, what, func(t transaction) error {
			now, err := t.clock()
			if err != nil {
				return err
			}
			return t.applyOutcomes(all, now)
		})
		if err == nil {
			break
		}
		if ctx.Err() == nil && busy(err) {
			continue // another program holds the file: it ends
		}
		l.keepUnrecorded(all)
		return err
	}
	l.forgetRecorded(all)
	return nil
}

// keepUnrecorded keeps what could not be recorded, where nothing newer is known.
func (l *Ledger) keepUnrecorded(outcomes []backup.Outcome) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, o := range outcomes {
		if _, newer := l.unrecorded[o.ID]; !newer {
			l.unrecorded[o.ID] = o
		}
	}
}

// hasUnrecorded tells whether some outcome is still to be recorded.
func (l *Ledger) hasUnrecorded() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.unrecorded) > 0
}

// takeUnrecorded gives what could not be recorded; it is then the caller's to record or to keep.
func (l *Ledger) takeUnrecorded() (all []backup.Outcome) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, o := range l.unrecorded {
		all = append(all, o)
	}
	clear(l.unrecorded)
	return all
}

// applyOutcomes records outcomes, device by device in the order in which everybody
// locks them.
func (t transaction) applyOutcomes(outcomes []backup.Outcome, now int64) error {
	type settling struct {
		backup.Outcome
		device string
	}
	var all []settling
	for _, o := range outcomes {
		s := settling{Outcome: o}
		err := t.row("SELECT device FROM entries WHERE id = $1", o.ID).Scan(&s.device)
		if errors.Is(err, sql.ErrNoRows) {
			continue // it was never here, for no entry is ever dropped
		}
		if err != nil {
			return err
		}
		all = append(all, s)
	}
	slices.SortStableFunc(all, func(a, b settling) int { return cmp.Compare(a.device, b.device) })
	for _, s := range all {
		if err := t.applyOutcome(s.device, s.Outcome, now); err != nil {
			return fmt.Errorf("run %s: %w", s.ID, err)
		}
	}
	return nil
}

func (t transaction) applyOutcome(device string, o backup.Outcome, now int64) error {
	var head, owner string
	err := t.row("SELECT head, owner FROM queues WHERE device = $1"+t.l.dialect.lock, device).Scan(&head, &owner)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	var state backup.EntryState
	if err := t.row("SELECT state FROM entries WHERE id = $1"+t.l.dialect.lock, o.ID).Scan(&state); err != nil {
		return err
	}
	isWaiting := state == backup.EntryQueued || state == backup.EntrySending
	ours := head == o.ID && owner == t.l.owner && isWaiting
	what, detail := string(o.State), o.Detail
	switch o.State {
	case backup.EntrySent:
		if state == backup.EntrySent { // a second receipt is in the audit trail only
			return t.event(o.ID, now, what, detail)
		}
		_, err = t.exec(`UPDATE entries SET state = 'sent', receipt = $2, reason = '', doubt = 0, mark = '', next = 0,
			settled = $3, updated = $3 WHERE id = $1`, o.ID, o.Detail, now)
	case backup.EntryFailed:
		if !ours {
			return nil
		}
		_, err = t.exec(`UPDATE entries SET state = 'failed', reason = $2, attempts = attempts + 1, doubt = 0, mark = '', next = 0,
			updated = $3 WHERE id = $1`, o.ID, o.Detail, now)
	case backup.EntryQueued:
		if !ours {
			return nil
		}
		after := min(max(o.After, 0), MaxBackoff)
		what, detail = "retry", fmt.Sprintf("in %s: %s", after.Round(time.Second), o.Detail)
		_, err = t.exec(`UPDATE entries SET state = 'queued', reason = $2, next = $3, doubt = $4,
			mark = CASE WHEN CAST($4 AS BIGINT) = 1 THEN mark ELSE '' END, attempts = attempts + $5, updated = $6 WHERE id = $1`,
			o.ID, o.Detail, now+after.Microseconds(), o.Doubt, o.Counts, now)
	default:
		return nil // Record refused it
	}
	if err != nil {
		return err
	}
	if err := t.event(o.ID, now, what, detail); err != nil || !isWaiting {
		return err
	}
	_, err = t.requeue(device, now, head == o.ID)
	return err
}
