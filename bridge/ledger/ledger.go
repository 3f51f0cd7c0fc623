// Package ledger remembers what was seen, what is to be sent, what was sent,
// and why: devices, their sessions, an outbox of rendered mails and an audit
// trail, in an SQLite file of one bridge's own or in a PostgreSQL database that
// many bridges share.
//
// Every method is one transaction: after a crash at any moment, each change is
// there as a whole or not at all. No transaction lasts longer than the call.
package ledger

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofrs/flock"
)

// Options say where the ledger is. Exactly one of SQLite and Postgres is set.
type Options struct {
	// SQLite is the path of a file, made if missing (but not its directory), or
	// ":memory:" for a ledger that ends with the process.
	SQLite string
	// Postgres is a URL: postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full
	Postgres string
	// Now is the clock of an SQLite ledger; nil: time.Now. With PostgreSQL the
	// database's clock counts, for bridges on several machines share it.
	Now func() time.Time
	// Lease is how long a bridge may work on what it took from a shared ledger
	// without Renew; 0: LeaseTime. All bridges on a ledger need the same.
	Lease time.Duration
}

// Ledger is an open ledger. Its methods may be called concurrently.
type Ledger struct {
	db      *sql.DB
	dialect dialect
	name    string // for messages; without the password
	lease   time.Duration
	now     func() time.Time
	owner   string
	path    string       // of the SQLite file; empty: none
	lock    *flock.Flock // of the SQLite file; nil before Hold
	held    atomic.Bool

	taking sync.Mutex // one Take at a time, so that none overlooks what another just took
	mu     sync.Mutex
	flight map[string]flight // what this bridge took and has not settled, by entry
}

// Open opens the ledger, makes it if it is missing and brings its schema up to
// date. The error names the place and the remedy; ErrNewer if a newer program
// wrote the ledger.
func Open(ctx context.Context, o Options) (*Ledger, error) {
	l := &Ledger{lease: cmp.Or(o.Lease, LeaseTime), now: o.Now, owner: rand.Text(), flight: map[string]flight{}}
	if l.now == nil {
		l.now = time.Now
	}
	if (o.SQLite == "") == (o.Postgres == "") {
		return nil, errors.New("ledger: set exactly one of sqlite and postgres")
	}
	connect := l.connectSQLite
	if o.Postgres != "" {
		connect = l.connectPostgres
	}
	if err := connect(o); err != nil {
		return nil, err
	}
	if err := l.migrate(ctx); err != nil {
		return nil, errors.Join(l.explain("open", err), l.db.Close())
	}
	return l, nil
}

// Owner names this open ledger in leases. It is random and new each time.
func (l *Ledger) Owner() string { return l.owner }

// LeaseTime is how long a lease lasts.
func (l *Ledger) LeaseTime() time.Duration { return l.lease }

// Shared tells whether other bridges may work on the ledger at the same time.
func (l *Ledger) Shared() bool { return l.dialect.shared() }

// String gives the ledger's place, for messages: no password is in it.
func (l *Ledger) String() string { return l.name }

// Close ends all work on the ledger and gives the file free for others. What
// this bridge took and has not settled stays as it is; see Release.
func (l *Ledger) Close() error {
	err := l.db.Close()
	if l.lock != nil {
		err = errors.Join(err, l.lock.Close())
	}
	if err != nil {
		return l.explain("close", err)
	}
	return nil
}

// write runs do in a transaction that is committed if it returns nil.
func (l *Ledger) write(ctx context.Context, what string, do func(transaction) error) error {
	return l.transact(ctx, what, nil, do)
}

// read runs do in a transaction that changes nothing.
func (l *Ledger) read(ctx context.Context, what string, do func(transaction) error) error {
	return l.transact(ctx, what, &sql.TxOptions{ReadOnly: true}, do)
}

func (l *Ledger) transact(ctx context.Context, what string, o *sql.TxOptions, do func(transaction) error) error {
	tx, err := l.db.BeginTx(ctx, o)
	if err != nil {
		return l.explain(what, err)
	}
	defer tx.Rollback()
	if err := do(transaction{ctx, tx, l}); err != nil {
		return l.explain(what, err)
	}
	if err := tx.Commit(); err != nil {
		return l.explain(what, err)
	}
	return nil
}

// transaction is one transaction on the ledger, and what it needs in every call.
type transaction struct {
	ctx context.Context
	tx  *sql.Tx
	l   *Ledger
}

// clock gives the present in Unix microseconds.
func (t transaction) clock() (now int64, err error) {
	if t.l.dialect.clock == "" {
		return t.l.now().UnixMicro(), nil
	}
	err = t.row(t.l.dialect.clock).Scan(&now)
	return now, err
}

// exec runs one statement and tells how many rows it changed.
func (t transaction) exec(query string, args ...any) (int64, error) {
	r, err := t.tx.ExecContext(t.ctx, query, bind(args)...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

func (t transaction) row(query string, args ...any) *sql.Row {
	return t.tx.QueryRowContext(t.ctx, query, bind(args)...)
}

// each calls scan for every row of the answer.
func (t transaction) each(scan func(row) error, query string, args ...any) error {
	rows, err := t.tx.QueryContext(t.ctx, query, bind(args)...)
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

// known turns "no such row" into ErrUnknown.
func known(what string, err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("%s: %w", what, ErrUnknown)
	}
	return err
}
