package ledger

import (
	"context"
	"fmt"
	"strings"
	"time"
)

const (
	// LeaseTime is by default how long a bridge may work on what it took from a shared
	// ledger without Renew.
	LeaseTime = 60 * time.Second
	// MaxBackoff is the longest time until the next try. An entry that is to
	// wait for longer was stamped by a clock that has been put back: it is due.
	MaxBackoff = time.Hour
)

// flight is an entry that this bridge took and has not settled.
type flight struct {
	device string
	begun  bool // Sending was called
}

// waiting is spelled as in the partial index, so that it is used.
const waiting = "state IN ('queued', 'sending')"

// heads finds, for each device with waiting entries, the one that goes first, h,
// and the worst status waiting there. $1 is the present, $2 MaxBackoff later;
// further arguments are devices to leave out.
//
// A device is left alone while anything of it is leased: its mails go one by one.
const heads = ` FROM (
		SELECT w.device, MAX(w.status) AS worst, MAX(w.lease_until) AS leased
		FROM entries w WHERE w.` + waiting + ` GROUP BY w.device
	) q JOIN entries h ON h.id = (
		SELECT o.id FROM entries o WHERE o.device = q.device AND o.` + waiting + ` ORDER BY o.ended, o.id LIMIT 1
	) WHERE h.` + waiting

// dueNow holds again for h alone what q told, for the row may change between
// reading and locking it.
const dueNow = ` AND q.leased <= $1 AND h.lease_until <= $1 AND (h.state = 'sending' OR h.next <= $1 OR h.next > $2)`

// Take leases up to n entries that are to be sent now, to this bridge, for
// LeaseTime: queued ones that are due, and ones left in sending by a bridge that
// is gone, which come with Doubt. There are never two of one device: its oldest
// (by the run's end, then by id) goes first, and while that waits for its next
// try the others wait behind it. Devices with a failure waiting go before those
// with a warning, and those before the rest; then the older end goes first.
//
// Each entry has to be settled with Sent, Retry or Refused. ErrNotHeld: an
// SQLite ledger needs Hold first.
func (l *Ledger) Take(ctx context.Context, n int) (taken []Entry, err error) {
	if !l.dialect.shared() && !l.held.Load() {
		return nil, l.explain("take mails", ErrNotHeld)
	}
	if n < 1 {
		return nil, nil
	}
	l.taking.Lock()
	defer l.taking.Unlock()
	flights := map[string]flight{}
	err = l.write(ctx, "take mails", func(t transaction) error {
		now, err := t.clock()
		if err != nil {
			return err
		}
		var ids []string
		out, args := l.leftOut(now, now+MaxBackoff.Microseconds())
		err = t.each(func(r row) error {
			var id string
			err := r.Scan(&id)
			ids = append(ids, id)
			return err
		}, fmt.Sprintf("SELECT h.id%s%s%s ORDER BY q.worst DESC, h.ended, h.id LIMIT %d%s", heads, dueNow, out, n, l.dialect.skip), args...)
		if err != nil {
			return err
		}
		for _, id := range ids {
			e, err := t.take(id, now)
			if err != nil {
				return err
			}
			taken = append(taken, e)
			flights[id] = flight{device: e.Run.Device.Key()}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, f := range flights {
		l.flight[id] = f
	}
	return taken, nil
}

// take leases one entry.
func (t transaction) take(id string, now int64) (Entry, error) {
	_, err := t.exec("UPDATE entries SET owner = $1, lease_until = $2, doubt = CASE WHEN state = 'sending' THEN 1 ELSE doubt END WHERE id = $3",
		t.l.owner, t.l.dialect.until(now), id)
	if err != nil {
		return Entry{}, err
	}
	var mail []byte
	e, err := scanEntry(t.row("SELECT "+entryColumns+", e.mail FROM entries e WHERE e.id = $1", id), &mail)
	e.Mail = mail
	if err == nil && e.State == Sending {
		err = t.event(id, now, "taken over", "a delivery had begun and its outcome is not known")
	}
	return e, err
}

// leftOut gives the condition that leaves out devices that this bridge works
// on, and the arguments with theirs added.
func (l *Ledger) leftOut(args ...any) (string, []any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var places []string
	for _, f := range l.flight {
		args = append(args, f.device)
		places = append(places, fmt.Sprintf("$%d", len(args)))
	}
	if places == nil {
		return "", args
	}
	return " AND q.device NOT IN (" + strings.Join(places, ", ") + ")", args
}

// Due tells how long it is until Take will find something that this bridge does
// not work on already; some is false if nothing is waiting. Commit and Resend
// can bring it forward.
func (l *Ledger) Due(ctx context.Context) (wait time.Duration, some bool, err error) {
	err = l.read(ctx, "look what is due", func(t transaction) error {
		now, err := t.clock()
		if err != nil {
			return err
		}
		var at *int64
		out, args := l.leftOut(now, now+MaxBackoff.Microseconds())
		err = t.row(`SELECT MIN(CASE WHEN q.leased > $1 THEN q.leased
			WHEN h.state = 'sending' OR h.next <= $1 OR h.next > $2 THEN $1 ELSE h.next END)`+heads+out, args...).Scan(&at)
		if err != nil || at == nil {
			return err
		}
		wait, some = time.Duration(*at-now)*time.Microsecond, true
		return nil
	})
	return wait, some, err
}
