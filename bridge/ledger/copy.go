package ledger

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"slices"
	"strings"
)

// tables holds all that Copy copies. Leases and openings are left out: they are
// those of bridges on the other ledger.
var tables = []string{"devices", "entries", "runs", "mails", "queues", "events", "facts"}

// Copy copies all of from into to, in one transaction, so that to has all of it
// or nothing. No bridge may be running on either: ErrHeld. ErrNotEmpty: to holds
// something else; a copy of exactly the same is left as it is, and copied is
// false. ErrItself: both are one.
//
// Afterwards bridges may run on one of the two only, for each would send what
// waits. progress, if any, is called now and then, and at the end.
func Copy(ctx context.Context, from, to *Ledger, progress func(done, total int)) (copied bool, err error) {
	if from.path+from.server != "" && from.path == to.path && from.server == to.server {
		return false, fmt.Errorf("ledger %s: %w", from.name, ErrItself)
	}
	for _, l := range []*Ledger{from, to} {
		if err := l.Hold(ctx); err != nil {
			return false, err
		}
	}
	what := "copy from " + from.name
	tx, err := from.writer.db.BeginTx(ctx, &sql.TxOptions{Isolation: from.dialect.snap, ReadOnly: true})
	if err != nil {
		return false, from.explain("read for a copy", err)
	}
	defer tx.Rollback()
	source := transaction{ctx, tx, from.writer, from, map[string]*sql.Stmt{}}
	err = to.write(ctx, what, func(target transaction) error {
		for _, t := range []transaction{source, target} {
			if err := t.idle(); err != nil {
				return err
			}
		}
		total, err := source.count()
		if err != nil {
			return err
		}
		if has, err := target.count(); err != nil {
			return err
		} else if has > 0 {
			return checkEqual(source, target)
		}
		done := 0
		step := func() {
			if done++; progress != nil && (done%500 == 0 || done == total) {
				progress(done, total)
			}
		}
		for _, table := range tables {
			if err := copyTable(source, target, table, step); err != nil {
				return fmt.Errorf("%s: %w", table, err)
			}
		}
		copied = true
		return nil
	})
	return copied && err == nil, err
}

// idle answers ErrHeld if anything is leased now, so that bridges must be running.
func (t transaction) idle() error {
	now, err := t.clock()
	if err != nil || !t.l.dialect.shared() {
		return err
	}
	var live int
	err = t.row("SELECT (SELECT COUNT(*) FROM leases WHERE lease_until > $1) + (SELECT COUNT(*) FROM queues WHERE owner <> '' AND due > $1)", now).Scan(&live)
	if err == nil && live > 0 {
		err = fmt.Errorf("%s: %w: stop all of them and wait for %s", t.l.name, ErrHeld, t.l.lease)
	}
	return err
}

// count gives the number of rows in all tables.
func (t transaction) count() (total int, err error) {
	for _, table := range tables {
		var n int
		if err := t.row("SELECT COUNT(*) FROM " + table).Scan(&n); err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}

func copyTable(source, target transaction, table string, step func()) error {
	var insert *sql.Stmt
	err := source.rows(table, func(columns []string, values []any) (err error) {
		if insert == nil {
			places := make([]string, len(columns))
			for i := range places {
				places[i] = fmt.Sprintf("$%d", i+1)
			}
			insert, err = target.tx.PrepareContext(target.ctx, fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)",
				table, strings.Join(columns, ", "), strings.Join(places, ", ")))
			if err != nil {
				return err
			}
		}
		_, err = insert.ExecContext(target.ctx, values...)
		step()
		return err
	})
	if insert != nil {
		insert.Close()
	}
	return err
}

// rows calls do for every row of the table, without leases, and as no opening
// has seen it: a mail of a copy may have been sent by the original. The values
// are of the same types from both databases: int64, string, []byte, nil.
func (t transaction) rows(table string, do func(columns []string, values []any) error) error {
	rows, err := t.tx.QueryContext(t.ctx, "SELECT * FROM "+table)
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	owner, due, opening := slices.Index(columns, "owner"), slices.Index(columns, "due"), slices.Index(columns, "opening")
	values, places := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		places[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(places...); err != nil {
			return err
		}
		if owner >= 0 && values[owner] != "" {
			values[owner], values[due] = "", int64(0)
		}
		if opening >= 0 && values[opening] != int64(anyOpening) {
			values[opening] = int64(0)
		}
		if err := do(columns, values); err != nil {
			return err
		}
	}
	return rows.Err()
}

// checkEqual answers ErrNotEmpty unless both hold the same.
func checkEqual(source, target transaction) error {
	for _, table := range tables {
		a, err := source.digest(table)
		if err != nil {
			return err
		}
		b, err := target.digest(table)
		if err != nil {
			return err
		}
		if a != b {
			return ErrNotEmpty
		}
	}
	return nil
}

// digest is the same for the same rows, in whatever order: each row has a key of
// its own, so no two cancel each other out.
func (t transaction) digest(table string) (sum [sha256.Size]byte, err error) {
	err = t.rows(table, func(columns []string, values []any) error {
		h := sha256.New()
		for _, v := range values {
			b, ok := v.([]byte)
			if !ok {
				b = fmt.Append(nil, v)
			}
			fmt.Fprintf(h, "%d:%s,", len(b), b)
		}
		for i, b := range h.Sum(nil) {
			sum[i] ^= b
		}
		return nil
	})
	return sum, err
}
