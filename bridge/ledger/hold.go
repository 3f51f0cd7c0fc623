package ledger

import (
	"context"
	"errors"
	"fmt"

	"github.com/gofrs/flock"
)

// Hold is where a bridge begins: Take needs it. With SQLite it makes this the
// only bridge on the file, until Close: one that comes second gets ErrHeld, and
// whatever an earlier holder had leased is free again, for it is gone. Reading
// and Resend need no Hold and go on beside it.
func (l *Ledger) Hold(ctx context.Context) error {
	if l.held.Load() {
		return nil
	}
	var lock *flock.Flock
	if l.path != "" && !l.dialect.shared() {
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
		if !l.dialect.shared() {
			for _, query := range []string{"DELETE FROM leases", "UPDATE queues SET owner = '', due = 0 WHERE owner <> ''"} {
				if _, err := t.exec(query); err != nil {
					return err
				}
			}
		}
		return t.row("UPDATE openings SET number = number + 1 RETURNING number").Scan(&l.opening)
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
