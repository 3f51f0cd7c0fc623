package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// transaction is one transaction on the ledger, or one look at it, and what it
// needs in every call.
type transaction struct {
	ctx  context.Context
	tx   *sql.Tx     // nil: a look, whose queries see a moment each
	from *statements // where its queries are prepared; nil: for this transaction alone
	l    *Ledger
	used map[string]*sql.Stmt // those of its queries that it made already
}

// write runs do in a transaction that is committed if it returns nil.
func (l *Ledger) write(ctx context.Context, what string, do func(transaction) error) error {
	return l.transact(ctx, what, l.writer, nil, do)
}

// read runs do in a transaction that changes nothing, so that its queries see
// the same moment where the database makes that cheap.
func (l *Ledger) read(ctx context.Context, what string, do func(transaction) error) error {
	return l.transact(ctx, what, l.reader, &sql.TxOptions{ReadOnly: true}, do)
}

// query runs do, which makes one query, without a transaction around it.
func (l *Ledger) query(ctx context.Context, what string, do func(transaction) error) error {
	if err := do(transaction{ctx: ctx, from: l.reader, l: l}); err != nil {
		return l.explain(what, err)
	}
	return nil
}

func (l *Ledger) transact(ctx context.Context, what string, s *statements, o *sql.TxOptions, do func(transaction) error) error {
	tx, err := s.db.BeginTx(ctx, o)
	if err != nil {
		return l.explain(what, err)
	}
	defer tx.Rollback()
	within := ctx
	if !l.dialect.shared() {
		// SQLite watches over each statement's context by a goroutine of its
		// own; the one that watches over the transaction is enough.
		within = context.WithoutCancel(ctx)
	}
	err = do(transaction{within, tx, s, l, map[string]*sql.Stmt{}})
	if err == nil {
		err = tx.Commit()
	}
	if errors.Is(err, sql.ErrTxDone) && ctx.Err() != nil {
		err = ctx.Err()
	}
	if err != nil {
		return l.explain(what, err)
	}
	s.prepare(context.WithoutCancel(ctx))
	return nil
}

// clock gives the present in Unix microseconds.
func (t transaction) clock() (now int64, err error) {
	if t.l.dialect.clock == "" {
		return t.l.now().UnixMicro(), nil
	}
	err = t.row(t.l.dialect.clock).Scan(&now)
	return now, err
}

func (t transaction) statement(query string) (s *sql.Stmt, err error) {
	switch {
	case t.tx == nil:
		return t.from.get(t.ctx, query)
	case t.used[query] != nil:
		return t.used[query], nil
	case t.from == nil:
		s, err = t.tx.PrepareContext(t.ctx, query)
	default:
		s, err = t.from.within(t.ctx, t.tx, query)
	}
	if err == nil {
		t.used[query] = s
	}
	return s, err
}

// exec runs one statement and tells how many rows it changed.
func (t transaction) exec(query string, args ...any) (int64, error) {
	s, err := t.statement(query)
	if err != nil {
		return 0, err
	}
	r, err := s.ExecContext(t.ctx, bind(args)...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// row gives the first row of the answer.
func (t transaction) row(query string, args ...any) row {
	s, err := t.statement(query)
	if err != nil {
		return failedRow{err}
	}
	return s.QueryRowContext(t.ctx, bind(args)...)
}

// each calls scan for every row of the answer.
func (t transaction) each(scan func(row) error, query string, args ...any) error {
	s, err := t.statement(query)
	if err != nil {
		return err
	}
	rows, err := s.QueryContext(t.ctx, bind(args)...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// row is what both *sql.Row and *sql.Rows can do.
type row interface{ Scan(dest ...any) error }

// failedRow is the row of a query that could not be made.
type failedRow struct{ err error }

func (f failedRow) Scan(...any) error { return f.err }

// wrapNoRows turns "no such row" into ErrUnknown.
func wrapNoRows(what string, err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("%s: %w", what, ErrUnknown)
	}
	return err
}
