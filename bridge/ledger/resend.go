package ledger

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"covebridge/bridge/backup"
)

// anyOpening is the stamp of an entry that is wanted in the mailbox again though
// it may be there: no opening of the ledger puts it in doubt.
const anyOpening = math.MaxInt64

// Resend queues an entry that is settled once more, as it is given: with its
// run, its mail and its doubt. One that waits for its next try is due at once.
// Its Created is the present, for it waits from now on.
// ErrUnknown; ErrWaiting: it is being sent; ErrNoMail: there is nothing to send.
func (l *Ledger) Resend(ctx context.Context, e backup.Entry) error {
	what := "resend " + e.Run.ID
	if len(e.Mail) == 0 {
		return fmt.Errorf("%s: %w", what, ErrNoMail)
	}
	run, err := packJSON(e.Run)
	if err != nil {
		return l.explain(what, err)
	}
	packed := packedEntry{Entry: e, words: searchText(e), run: run, mail: pack(e.Mail)}
	return l.write(ctx, what, func(t transaction) error {
		now, err := t.clock()
		if err != nil {
			return err
		}
		var device string
		if err := t.row("SELECT device FROM entries WHERE id = $1", e.Run.ID).Scan(&device); err != nil {
			return wrapNoRows(e.Run.ID, err)
		}
		if err := t.lockQueue(device); err != nil {
			return err
		}
		var state backup.EntryState
		if err := t.row("SELECT state FROM entries WHERE id = $1"+l.dialect.lock, e.Run.ID).Scan(&state); err != nil {
			return err
		}
		switch state {
		case backup.EntrySending:
			return fmt.Errorf("%s: %w", e.Run.ID, ErrWaiting)
		case backup.EntryQueued:
			err = t.makeDue(e.Run.ID, now)
		default:
			err = t.resend(packed, state, now)
		}
		if err != nil {
			return err
		}
		_, err = t.requeue(device, now, false)
		return err
	})
}

// lockQueue locks the device's queue, if it has one: always before its entries.
func (t transaction) lockQueue(device string) error {
	if t.l.dialect.lock == "" {
		return nil
	}
	return t.each(func(row) error { return nil }, "SELECT device FROM queues WHERE device = $1"+t.l.dialect.lock, device)
}

// makeDue makes a queued entry due at once.
func (t transaction) makeDue(id string, now int64) error {
	if _, err := t.exec("UPDATE entries SET attempts = 0, next = 0, created = $2, updated = $2 WHERE id = $1", id, now); err != nil {
		return err
	}
	return t.event(id, now, "resend", "due at once")
}

// resend queues an entry that is settled.
func (t transaction) resend(e packedEntry, was backup.EntryState, now int64) error {
	var opening int64 = anyOpening
	if e.Doubt {
		opening = t.l.opening
	}
	_, err := t.exec(`UPDATE entries SET state = 'queued', reason = '', attempts = 0, next = 0, doubt = $2, mark = '', receipt = '',
		message_id = $3, status = $4, words = $5, opening = $6, settled = 0, created = $7, updated = $7 WHERE id = $1`,
		e.Run.ID, e.Doubt, e.MessageID, int64(e.Run.Status), e.words, opening, now)
	if err != nil {
		return err
	}
	if err := t.store(e); err != nil {
		return err
	}
	return t.event(e.Run.ID, now, "resend", "was "+string(was))
}

// resendBatch is how many entries one transaction of ResendFailed queues.
const resendBatch = 200

// ResendFailed queues all failed entries that have a mail and that the query
// selects, whose State does not matter, and tells how many, in small
// transactions. Entry.Created is then the present, as with Resend.
func (l *Ledger) ResendFailed(ctx context.Context, q Query) (n int, err error) {
	limit := cmp.Or(max(q.Limit, 0), math.MaxInt)
	q.State = backup.EntryFailed
	where, args := q.where()
	for n < limit {
		batch := min(resendBatch, limit-n)
		queued := 0
		err := l.write(ctx, "resend what failed", func(t transaction) error {
			now, err := t.clock()
			if err != nil {
				return err
			}
			var found [][2]string // device and entry
			err = t.each(func(r row) error {
				var f [2]string
				err := r.Scan(&f[0], &f[1])
				found = append(found, f)
				return err
			}, "SELECT e.device, e.id FROM entries e WHERE "+where+" AND EXISTS (SELECT 1 FROM mails m WHERE m.entry = e.id)"+
				fmt.Sprintf(" ORDER BY e.ended, e.id LIMIT $%d", len(args)+1), append(slices.Clone(args), batch)...)
			if err != nil {
				return err
			}
			queued = len(found)
			slices.SortFunc(found, func(a, b [2]string) int { return slices.Compare(a[:], b[:]) })
			for _, f := range found {
				if err := t.resendFailed(f[0], f[1], now); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return n, err
		}
		n += queued
		if queued < batch {
			break
		}
	}
	return n, nil
}

func (t transaction) resendFailed(device, id string, now int64) error {
	if err := t.lockQueue(device); err != nil {
		return err
	}
	changed, err := t.exec("UPDATE entries SET state = 'queued', reason = '', attempts = 0, next = 0, created = $2, updated = $2 WHERE id = $1 AND state = 'failed'", id, now)
	if err != nil || changed == 0 {
		return err
	}
	if err := t.event(id, now, "resend", "was failed"); err != nil {
		return err
	}
	_, err = t.requeue(device, now, false)
	return err
}
