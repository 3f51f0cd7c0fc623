package ledger

import (
	"context"
	"database/sql"
	"errors"
)

// Value gives what SetValue stored under the name; empty: nothing.
func (l *Ledger) Value(ctx context.Context, name string) (value string, err error) {
	err = l.query(ctx, "read "+name, func(t transaction) error {
		err := t.row("SELECT value FROM facts WHERE name = $1", name).Scan(&value)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	return value, err
}

// SetValue stores a small fact that outlives the process.
func (l *Ledger) SetValue(ctx context.Context, name, value string) error {
	return l.write(ctx, "store "+name, func(t transaction) error {
		_, err := t.exec(`INSERT INTO facts (name, value) VALUES ($1, $2)
			ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
		return err
	})
}
