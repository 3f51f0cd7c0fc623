package ledger

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"covebridge/bridge/backup"
)

// LeaseTime is by default how long a bridge may work on what it took from a
// shared ledger without Renew.
const LeaseTime = 60 * time.Second

// takenEntry is an entry that this bridge took and has not settled.
type takenEntry struct {
	device string
	begun  bool // Begin was called
}

// The two orders in which devices are served. Both are read off an index that
// holds nothing but what is ready, so that what else waits costs nothing.
const (
	worstFirst  = "SELECT device, head FROM queues WHERE due = 0 ORDER BY worst DESC, ended, device LIMIT $1"
	oldestFirst = "SELECT device, head FROM queues WHERE due = 0 ORDER BY ended, device LIMIT $1"
)

// oldestShare tells how many of n mails, after rotation others, go to the device that has
// waited longest. That is every fourth: failures overtake the rest, but however
// many there are, the rest keeps moving, and so does the oldest.
func oldestShare(rotation, n int) int { return (rotation%4 + n) / 4 }

// Take leases up to n entries that are to be sent now, with their mails, to
// this bridge, for LeaseTime: queued ones that are due, and ones left in
// sending by a bridge that is gone. There are never two of one device, and none
// of a device of which another is leased; see MaxHold for the order within a
// device. Three of four go by the worst status that waits at the device, then
// by age; the fourth goes by age alone.
//
// Doubt says that the mail may be in the mailbox. It is set where a delivery
// was begun and its outcome is not known, and where the ledger was opened since
// the entry was committed or last begun: for the ledger may be a copy that was
// put back, made before the mail went out.
//
// Each entry has to be settled with Record, or given back with Release.
// ErrNotHeld: Hold comes first.
func (l *Ledger) Take(ctx context.Context, n int) (entries []backup.Entry, err error) {
	if !l.held.Load() {
		return nil, l.explain("take mails", ErrNotHeld)
	}
	if n < 1 {
		return nil, nil
	}
	l.mu.Lock()
	rotation := l.rotation
	l.mu.Unlock()
	unrecorded := l.takeUnrecorded()
	mine := map[string]takenEntry{}
	err = l.write(ctx, "take mails", func(t transaction) error {
		now, err := t.clock()
		if err != nil {
			return err
		}
		if err := t.applyOutcomes(unrecorded, now); err != nil {
			return err
		}
		if err := t.promote(now); err != nil {
			return err
		}
		oldest := oldestShare(rotation, n)
		for _, pass := range []struct {
			query string
			want  int
		}{{worstFirst, n - oldest}, {oldestFirst, oldest}} {
			some, err := t.lease(pass.query, pass.want, now, mine)
			if err != nil {
				return err
			}
			entries = append(entries, some...)
		}
		return nil
	})
	if err != nil {
		l.keepUnrecorded(unrecorded)
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, o := range unrecorded {
		delete(l.taken, o.ID)
	}
	for id, e := range mine {
		l.taken[id] = e
	}
	l.rotation = (l.rotation + len(entries)) % 4
	return entries, nil
}

// promote makes ready what has become due, and what would wait for longer than
// anything has to, for then the clock has been put back. What is left over
// comes the next time.
func (t transaction) promote(now int64) error {
	far := now + max(MaxBackoff, t.l.dialect.lease).Microseconds()
	for _, q := range []struct {
		due  string
		time int64
	}{{"due > 0 AND due <= $1", now}, {"due > $1", far}} {
		_, err := t.exec(`UPDATE queues SET due = 0 WHERE device IN
			(SELECT device FROM queues WHERE due <> 0 AND `+q.due+" ORDER BY due LIMIT 500"+t.l.dialect.skip+")", q.time)
		if err != nil {
			return err
		}
	}
	return nil
}

// lease leases up to n entries of devices that are ready, in the query's order.
func (t transaction) lease(query string, n int, now int64, mine map[string]takenEntry) (entries []backup.Entry, err error) {
	for len(entries) < n {
		heads := map[string]string{}
		var devices []string
		err := t.each(func(r row) error {
			var device, head string
			err := r.Scan(&device, &head)
			heads[device] = head
			devices = append(devices, device)
			return err
		}, query+t.l.dialect.skip, n-len(entries))
		if err != nil || len(devices) == 0 {
			return entries, err
		}
		for _, device := range devices {
			e, ok, err := t.leaseHead(device, heads[device], now)
			if err != nil {
				return nil, err
			}
			if ok {
				mine[e.Run.ID] = takenEntry{device: device}
				entries = append(entries, e)
			} // else the device is no longer among those that are ready
		}
	}
	return entries, nil
}

// leaseHead leases the head of the device's queue, whose row is locked; false:
// nothing of it is to be sent now after all.
func (t transaction) leaseHead(device, head string, now int64) (e backup.Entry, ok bool, err error) {
	e, opening, err := t.loadEntry(head)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return e, false, err
	}
	w := waitingEntry{state: e.State, next: micros(e.Next)}
	if err != nil || e.State != backup.EntryQueued && e.State != backup.EntrySending || !w.ready(now) {
		// Its time was told for what waits behind it, or another bridge held it.
		if head, err = t.requeue(device, now, true); err != nil || head == "" {
			return e, false, err
		}
		if e, opening, err = t.loadEntry(head); err != nil {
			return e, false, err
		}
	}
	_, err = t.exec("UPDATE queues SET owner = $2, due = $3 WHERE device = $1", device, t.l.owner, t.l.dialect.leaseEnd(now))
	if err != nil {
		return e, false, err
	}
	if e.State == backup.EntrySending {
		e.Doubt = true
		if _, err = t.exec("UPDATE entries SET doubt = 1 WHERE id = $1", head); err != nil {
			return e, false, err
		}
		err = t.event(head, now, "taken over", "a delivery had begun and its outcome is not known")
	}
	e.Doubt = e.Doubt || opening < t.l.opening
	return e, true, err
}

// NextDue tells how long it is until Take will find something that this bridge
// does not work on already, or whose lease it let end, or something to settle;
// some is false if nothing is waiting. Commit and Resend can bring it forward.
func (l *Ledger) NextDue(ctx context.Context) (wait time.Duration, some bool, err error) {
	if l.hasUnrecorded() {
		return 0, true, nil
	}
	err = l.query(ctx, "look what is due", func(t transaction) error {
		now, err := t.clock()
		if err != nil {
			return err
		}
		var ready, first, last int64
		err = t.row(`SELECT (SELECT COUNT(*) FROM (SELECT 1 FROM queues WHERE due = 0 LIMIT 1) one)
				+ (SELECT COUNT(*) FROM (SELECT 1 FROM queues WHERE due <> 0 AND due > 0 AND due <= $2 LIMIT 1) one),
			COALESCE((SELECT due FROM queues WHERE due <> 0 AND due > 0 AND owner <> $1 ORDER BY due LIMIT 1), 0),
			COALESCE((SELECT due FROM queues WHERE due <> 0 AND due > 0 AND owner <> $1 ORDER BY due DESC LIMIT 1), 0)`, l.owner, now).
			Scan(&ready, &first, &last)
		if err != nil {
			return err
		}
		far := now + max(MaxBackoff, l.dialect.lease).Microseconds()
		some = ready > 0 || first > 0
		if ready == 0 && last <= far {
			wait = time.Duration(max(first-now, 0)) * time.Microsecond
		}
		return nil
	})
	return wait, some, err
}

// Waiting tells how many entries wait, or are being sent.
func (l *Ledger) Waiting(ctx context.Context) (n int, err error) {
	err = l.query(ctx, "count what waits", func(t transaction) error {
		return t.row("SELECT COUNT(*) FROM entries WHERE " + waiting).Scan(&n)
	})
	return n, err
}
