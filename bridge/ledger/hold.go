package ledger

import (
	"context"
	"errors"
	"fmt"

	"github.com/gofrs/flock"
)

// Hold makes this the only bridge on an SQLite file, until Close: one that
// comes second gets ErrHeld. Whatever an earlier holder had leased is free
// again, for it is gone. Reading and Resend need no Hold and go on beside it.
// With PostgreSQL, where bridges share the work, it does nothing.
func (l *Ledger) Hold(ctx context.Context) error {
	if l.held.Load() || l.dialect.shared() {
		return nil
	}
	var lock *flock.Flock
	if l.path != "" {
		lock = flock.New(l.path+".lock", flock.SetPermissions(0o600))
		got, err := lock.TryLock()
		if err != nil {
			return l.explain("lock "+lock.Path(), err)
		}
		if !got {
			return fmt.Errorf("ledger %s: %w (lock %s): stop that one first, or give this one a ledger of its own", l.name, ErrHeld, lock.Path())
		}
	}
	err := l.write(ctx, "hold", func(t transaction) error {
		_, err := t.exec("DELETE FROM leases")
		return err
	})
	if err != nil {
		if lock != nil {
			err = errors.Join(err, lock.Close())
		}
		return err
	}
	l.lock = lock
	l.held.Store(true)
	return nil
}
