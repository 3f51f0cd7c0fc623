package ledger

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// sentTime is how long Sent tries, whatever becomes of the caller's context.
const sentTime = 30 * time.Second

// claim is an entry as it stands when its owner wants to move it on.
type claim struct {
	doubt bool
	mark  string
	until int64
}

// claim locks the entry's row and answers ErrLost if it is not this bridge's.
func (t transaction) claim(id string) (c claim, err error) {
	var state State
	var owner string
	err = t.row("SELECT state, owner, lease_until, doubt, mark FROM entries WHERE id = $1"+t.l.dialect.lock, id).
		Scan(&state, &owner, &c.until, &c.doubt, &c.mark)
	if err != nil {
		return c, known("run", err)
	}
	if owner != t.l.owner || state != Queued && state != Sending {
		return c, ErrLost
	}
	return c, nil
}

// Sending says that the delivery of an entry that was taken begins now: after
// it, and not before, bytes may go out. mark tells where to look for the mail
// later; an earlier mark is kept while Doubt is open, for it covers both tries.
// ErrLost: the lease is over, and nothing may be sent.
func (l *Ledger) Sending(ctx context.Context, id, mark string) error {
	l.mu.Lock()
	f, ours := l.flight[id]
	l.mu.Unlock()
	err := l.write(ctx, "begin to send "+id, func(t transaction) error {
		now, err := t.clock()
		if err != nil {
			return err
		}
		c, err := t.claim(id)
		if err != nil {
			return err
		}
		if !ours || l.dialect.shared() && c.until <= now {
			return ErrLost
		}
		if c.doubt && c.mark != "" {
			mark = c.mark
		}
		_, err = t.exec("UPDATE entries SET state = $1, mark = $2, lease_until = $3, updated = $4 WHERE id = $5",
			Sending, mark, l.dialect.until(now), now, id)
		if err != nil {
			return err
		}
		return t.event(id, now, string(Sending), mark)
	})
	if err == nil {
		f.begun = true
		l.mu.Lock()
		l.flight[id] = f
		l.mu.Unlock()
	}
	return err
}

// Sent records that the mail was delivered. It does so whoever holds the lease,
// and even if ctx is done: that a mail is in the mailbox stays true, and what
// is not recorded would be sent again.
func (l *Ledger) Sent(ctx context.Context, id, receipt string) error {
	defer l.settle(id)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), sentTime)
	defer cancel()
	return l.write(ctx, "record as sent "+id, func(t transaction) error {
		now, err := t.clock()
		if err != nil {
			return err
		}
		var state State
		if err := t.row("SELECT state FROM entries WHERE id = $1"+l.dialect.lock, id).Scan(&state); err != nil {
			return known("run", err)
		}
		if state != Sent { // the first receipt stands; a second one is in the audit trail
			_, err = t.exec(`UPDATE entries SET state = $1, receipt = $2, reason = '', doubt = 0, mark = '', next = 0,
				owner = '', lease_until = 0, updated = $3 WHERE id = $4`, Sent, receipt, now, id)
			if err != nil {
				return err
			}
		}
		return t.event(id, now, string(Sent), receipt)
	})
}

// Retry puts an entry back, to be taken again after this time, at most
// MaxBackoff. doubt says that the mail may have been delivered all the same:
// then the mark is kept.
func (l *Ledger) Retry(ctx context.Context, id, cause string, after time.Duration, doubt bool) error {
	defer l.settle(id)
	after = min(max(after, 0), MaxBackoff)
	return l.move(ctx, "put back "+id, id, func(t transaction, now int64, c claim) error {
		mark := ""
		if doubt {
			mark = c.mark
		}
		_, err := t.exec(`UPDATE entries SET state = $1, reason = $2, next = $3, doubt = $4, mark = $5, attempts = attempts + 1,
			owner = '', lease_until = 0, updated = $6 WHERE id = $7`,
			Queued, cause, now+after.Microseconds(), doubt, mark, now, id)
		if err != nil {
			return err
		}
		return t.event(id, now, "retry", fmt.Sprintf("in %s: %s", after.Round(time.Second), cause))
	})
}

// Refused records that the mailbox will never take the mail, and why. Later
// runs of the device go on; Resend tries again.
func (l *Ledger) Refused(ctx context.Context, id, cause string) error {
	defer l.settle(id)
	return l.move(ctx, "record as refused "+id, id, func(t transaction, now int64, c claim) error {
		_, err := t.exec(`UPDATE entries SET state = $1, reason = $2, attempts = attempts + 1, doubt = 0, mark = '', next = 0,
			owner = '', lease_until = 0, updated = $3 WHERE id = $4`, Failed, cause, now, id)
		if err != nil {
			return err
		}
		return t.event(id, now, string(Failed), cause)
	})
}

// move runs do on an entry that is this bridge's.
func (l *Ledger) move(ctx context.Context, what, id string, do func(t transaction, now int64, c claim) error) error {
	return l.write(ctx, what, func(t transaction) error {
		now, err := t.clock()
		if err != nil {
			return err
		}
		c, err := t.claim(id)
		if err != nil {
			return err
		}
		return do(t, now, c)
	})
}

// settle lets go of an entry. Where the ledger could not be told its outcome,
// the entry is taken again once the lease is over, with Doubt if it was begun.
func (l *Ledger) settle(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.flight, id)
}

// Release gives back what this bridge took and did not begin to send.
func (l *Ledger) Release(ctx context.Context) error {
	return l.own(ctx, "give back mails", 0, func(f flight) bool { return !f.begun }, true)
}

// Renew makes the leases on what this bridge took last LeaseTime from now. To
// be called well within LeaseTime. A bridge that can't, because the database is
// not reached, has to break off its deliveries before LeaseTime is over: after
// that another one may send the same mails.
func (l *Ledger) Renew(ctx context.Context) error {
	if !l.dialect.shared() {
		return nil
	}
	return l.own(ctx, "renew leases", l.dialect.lease, func(flight) bool { return true }, false)
}

// own sets the leases of those of this bridge's entries that are wanted.
func (l *Ledger) own(ctx context.Context, what string, lease time.Duration, wanted func(flight) bool, settle bool) error {
	l.mu.Lock()
	args := []any{l.owner, int64(0)}
	var ids, places []string
	for id, f := range l.flight {
		if wanted(f) {
			ids = append(ids, id)
			args = append(args, id)
			places = append(places, fmt.Sprintf("$%d", len(args)))
		}
	}
	l.mu.Unlock()
	if ids == nil {
		return nil
	}
	err := l.write(ctx, what, func(t transaction) error {
		if lease > 0 {
			now, err := t.clock()
			if err != nil {
				return err
			}
			args[1] = now + lease.Microseconds()
		}
		_, err := t.exec("UPDATE entries SET lease_until = $2 WHERE owner = $1 AND "+waiting+" AND id IN ("+strings.Join(places, ", ")+")", args...)
		return err
	})
	if err == nil && settle {
		for _, id := range ids {
			l.settle(id)
		}
	}
	return err
}
