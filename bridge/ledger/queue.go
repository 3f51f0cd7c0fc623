package ledger

import (
	"database/sql"
	"errors"
	"time"

	"covebridge/bridge/backup"
)

const (
	// MaxBackoff is the longest time until the next try. What is to wait for
	// longer was stamped by a clock that has been put back: it is due.
	MaxBackoff = time.Hour
	// MaxHold is how long after it was queued a mail that the mailbox refuses
	// keeps its device's later ones waiting.
	MaxHold = 24 * time.Hour

	// maxOvertaken is how many such mails of one device are passed over at once.
	maxOvertaken = 50
)

// waiting is spelled as in the partial indexes, so that they are used.
const waiting = "state IN ('queued', 'sending')"

// waitingEntry is an entry that waits, as far as the order goes.
type waitingEntry struct {
	id                   string
	state                backup.EntryState
	ended, next, created int64
	attempts             int
}

// ready tells whether it is to be sent now.
func (w waitingEntry) ready(now int64) bool {
	return w.state == backup.EntrySending || w.next <= now || w.next > now+MaxBackoff.Microseconds()
}

// enqueue puts new entries of one device into its queue.
func (t transaction) enqueue(device string, entries []packedEntry, now int64) error {
	if len(entries) == 0 {
		return nil
	}
	head, worst := entries[0].Run, entries[0].Run.Status
	for _, e := range entries[1:] {
		if c := e.Run.End.Compare(head.End); c < 0 || c == 0 && e.Run.ID < head.ID {
			head = e.Run
		}
		worst = max(worst, e.Run.Status)
	}
	n, err := t.exec(`INSERT INTO queues (device, head, ended, worst, due, owner) VALUES ($1, $2, $3, $4, 0, '')
		ON CONFLICT (device) DO NOTHING`, device, head.ID, head.End, int64(worst))
	if err != nil || n == 1 {
		return err
	}
	_, err = t.requeue(device, now, false) // others wait there already
	return err
}

// requeue brings a device's queue up to date after its entries changed, and
// gives the head if it is ready. What is leased stays so, unless free says that
// the lease is over.
func (t transaction) requeue(device string, now int64, free bool) (ready string, err error) {
	// The row is locked, or made and locked, before the entries are read.
	var owner string
	err = t.row(`INSERT INTO queues (device, head, ended, worst, due, owner) VALUES ($1, '', 0, 0, 0, '')
		ON CONFLICT (device) DO UPDATE SET owner = queues.owner RETURNING owner`, device).Scan(&owner)
	if err != nil {
		return "", err
	}
	var worst int64
	err = t.row("SELECT status FROM entries WHERE device = $1 AND "+waiting+" ORDER BY status DESC LIMIT 1", device).Scan(&worst)
	if errors.Is(err, sql.ErrNoRows) {
		_, err = t.exec("DELETE FROM queues WHERE device = $1", device)
		return "", err
	}
	if err != nil {
		return "", err
	}
	if owner != "" && !free {
		_, err = t.exec("UPDATE queues SET worst = $2 WHERE device = $1", device, worst)
		return "", err
	}
	head, due, err := t.head(device, now)
	if err != nil {
		return "", err
	}
	if due == 0 {
		ready = head.id
	}
	_, err = t.exec("UPDATE queues SET head = $2, ended = $3, worst = $4, due = $5, owner = '' WHERE device = $1",
		device, head.id, head.ended, worst, due)
	return ready, err
}

// head gives the device's entry that goes next, and when; 0: now.
//
// That is the oldest, by the run's end, then by id, and while it waits for its
// next try the others wait behind it. Only one that was refused, and waits for
// longer than MaxHold, is passed over until its next try.
func (t transaction) head(device string, now int64) (head waitingEntry, due int64, err error) {
	var queue []waitingEntry
	err = t.each(func(r row) error {
		var w waitingEntry
		err := r.Scan(&w.id, &w.state, &w.ended, &w.next, &w.created, &w.attempts)
		queue = append(queue, w)
		return err
	}, "SELECT id, state, ended, next, created, attempts FROM entries WHERE device = $1 AND "+waiting+
		" ORDER BY ended, id LIMIT $2", device, maxOvertaken+1)
	if err != nil {
		return head, 0, err
	}
	for _, w := range queue {
		if w.ready(now) {
			return w, 0, nil
		}
		if due == 0 || w.next < due {
			head, due = w, w.next
		}
		passed := w.created + MaxHold.Microseconds()
		if w.attempts == 0 {
			break
		}
		if passed > now { // look again when it no longer holds the others back
			due = min(due, passed)
			break
		}
	}
	return head, due, nil
}
