package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// dialect is all that differs between the databases.
type dialect struct {
	goose goose.Dialect
	clock string             // query for the present in Unix microseconds; empty: the ledger's own clock
	lock  string             // ends a query whose row is about to be changed
	skip  string             // ends a query for rows to work on, so that no two bridges wait for each other
	snap  sql.IsolationLevel // of a transaction whose every query sees the same moment
	lease time.Duration      // how long a bridge may work on what it took without renewing; 0: for good
}

// shared tells whether bridges share the ledger.
func (d dialect) shared() bool { return d.lease > 0 }

// forever is the end of a lease that lasts until the ledger is held anew.
const forever = -1

// leaseEnd gives the end of a lease that begins now.
func (d dialect) leaseEnd(now int64) int64 {
	if !d.shared() {
		return forever
	}
	return now + d.lease.Microseconds()
}

var sqlite = dialect{
	goose: goose.DialectSQLite3,
	snap:  sql.LevelDefault,
	// Write transactions begin as immediate ones: no lock has to be asked for.
	// The file belongs to one bridge alone, see Hold: no lease has to be kept.
}

var postgres = dialect{
	goose: goose.DialectPostgres,
	clock: "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)",
	lock:  " FOR UPDATE",
	skip:  " FOR UPDATE SKIP LOCKED",
	snap:  sql.LevelRepeatableRead,
	lease: LeaseTime, // or as the options say
}

// busyTimeout is how long another program that reads or resends is waited for.
const busyTimeout = 15 * time.Second

func (l *Ledger) connectSQLite(o Options) error {
	l.dialect, l.name = sqlite, o.SQLite
	if o.Shared {
		l.dialect.lease = l.lease
	}
	dsn := "file::memory:"
	if o.SQLite != ":memory:" {
		path, err := makeFile(o.SQLite)
		if err != nil {
			return l.explain("open", err)
		}
		l.path, dsn = path, (&url.URL{Scheme: "file", Path: path}).String()
	}
	wait := fmt.Sprintf("?_pragma=busy_timeout(%d)", busyTimeout.Milliseconds())
	db, err := sql.Open("sqlite", dsn+wait+"&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate")
	if err != nil {
		return l.explain("open", err)
	}
	// One connection: SQLite has one writer, and waiting in line is fairer and
	// faster than its busy_timeout; a ledger in memory lives in its connection.
	db.SetMaxOpenConns(1)
	l.writer = newStatements(db)
	l.reader = l.writer
	if l.path == "" {
		return nil
	}
	// Whoever reads sees the last commit and neither waits nor holds up.
	read, err := sql.Open("sqlite", dsn+wait+"&_pragma=query_only(1)")
	if err != nil {
		return errors.Join(l.explain("open", err), db.Close())
	}
	read.SetMaxOpenConns(4)
	l.reader = newStatements(read)
	return nil
}

// makeFile makes the file if it is missing, so that it is ours alone from the
// start; SQLite gives its -wal and -shm files the same mode. It gives the
// absolute path, the same by whatever link the file was named.
func makeFile(path string) (string, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return "", withoutPath{err} // it is told already
	}
	if err := f.Close(); err != nil {
		return "", err
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return "", err
	}
	return filepath.Abs(path)
}

// withoutPath is an error of a file that does not say which, but knows it.
type withoutPath struct{ error }

func (e withoutPath) Error() string { return errors.Unwrap(e.error).Error() }
func (e withoutPath) Unwrap() error { return e.error }

func (l *Ledger) connectPostgres(o Options) error {
	l.dialect = postgres
	l.dialect.lease = l.lease
	c, err := pgx.ParseConfig(o.Postgres)
	if err != nil {
		// The cause may quote the password.
		return errors.New("open ledger: ledger.postgres is no URL of a PostgreSQL database: write it as postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full, with special characters in the password as %XX")
	}
	l.name = fmt.Sprintf("%s on PostgreSQL at %s", c.Database, c.Host)
	l.server = fmt.Sprintf("%s:%d/%s", c.Host, c.Port, c.Database)
	db := stdlib.OpenDB(*c, stdlib.OptionAfterConnect(l.limitIdleTransactions))
	db.SetMaxOpenConns(8)
	db.SetMaxIdleConns(4)
	db.SetConnMaxIdleTime(5 * time.Minute)
	l.writer = newStatements(db)
	l.reader = l.writer
	return nil
}

// limitIdleTransactions has the server end a transaction whose bridge has
// fallen silent in the middle of it: a machine that stops or a network that
// splits closes no connection, and the rows it locked would keep every other
// bridge waiting until TCP gives up, which takes hours. Where the bridge only
// was slow, its transaction fails as a whole and is tried again.
func (l *Ledger) limitIdleTransactions(ctx context.Context, c *pgx.Conn) error {
	_, err := c.Exec(ctx, fmt.Sprintf("SET idle_in_transaction_session_timeout = %d", (l.lease/3).Milliseconds()))
	return err
}
