package ledger

import (
	"context"

	"covebridge/bridge/backup"
)

// Release gives back what this bridge took and did not begin to send. What it
// began and did not record stays: its outcome is not known.
func (l *Ledger) Release(ctx context.Context) error {
	ids := l.takenIDs(func(e takenEntry) bool { return !e.begun })
	unrecorded := l.takeUnrecorded()
	if len(ids) == 0 && len(unrecorded) == 0 {
		return nil
	}
	order, devices := l.byDevice(ids)
	err := l.write(ctx, "give back mails", func(t transaction) error {
		now, err := t.clock()
		if err != nil {
			return err
		}
		for _, id := range order {
			_, err := t.exec("UPDATE queues SET owner = '', due = 0 WHERE device = $1 AND head = $2 AND owner = $3",
				devices[id], id, l.owner)
			if err != nil {
				return err
			}
		}
		return t.applyOutcomes(unrecorded, now)
	})
	if err != nil {
		l.keepUnrecorded(unrecorded)
		return err
	}
	l.forget(ids)
	l.forgetRecorded(unrecorded)
	return nil
}

// Renew makes the leases on what this bridge took last LeaseTime from now, and
// gives back those that another bridge has taken over: of them this one lets
// go, and their deliveries are to be broken off. To be called well within
// LeaseTime. A bridge that can't, because the database is not reached, has to
// break off its deliveries before LeaseTime is over: after that another one may
// send the same mails. With SQLite, where no lease ends, it does nothing.
func (l *Ledger) Renew(ctx context.Context) (lost []string, err error) {
	ids := l.takenIDs(func(takenEntry) bool { return true })
	if !l.dialect.shared() || len(ids) == 0 {
		return nil, nil
	}
	order, devices := l.byDevice(ids)
	err = l.write(ctx, "renew leases", func(t transaction) error {
		now, err := t.clock()
		if err != nil {
			return err
		}
		for _, id := range order {
			n, err := t.exec("UPDATE queues SET due = $4 WHERE device = $1 AND head = $2 AND owner = $3",
				devices[id], id, l.owner, l.dialect.leaseEnd(now))
			if err != nil {
				return err
			}
			if n == 0 {
				lost = append(lost, id)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	l.forget(lost)
	return lost, nil
}

// takenIDs gives the ids of those that this bridge took and that are wanted.
func (l *Ledger) takenIDs(wanted func(takenEntry) bool) (ids []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, e := range l.taken {
		if wanted(e) {
			ids = append(ids, id)
		}
	}
	return ids
}

func (l *Ledger) forget(ids []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range ids {
		delete(l.taken, id)
	}
}

func (l *Ledger) forgetRecorded(outcomes []backup.Outcome) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, o := range outcomes {
		delete(l.taken, o.ID)
	}
}
