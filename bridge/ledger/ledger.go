// Package ledger remembers what was seen, what is to be sent, what was sent,
// and why: the journal of each device, an outbox of rendered mails and an audit
// trail, in an SQLite file of one bridge's own or in a PostgreSQL database that
// many bridges share.
//
// Every method that changes something is one transaction, or, where it says so,
// several small ones: after a crash at any moment, each change is there as a
// whole or not at all. No transaction lasts longer than the call.
package ledger

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofrs/flock"
	"github.com/sethvargo/go-retry"

	"covebridge/bridge/backup"
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
	// Shared lets several bridges work on an SQLite file, as on PostgreSQL, each
	// with a Ledger of its own. It is for bridges of one process, in simulations:
	// nothing keeps a second program from the file.
	Shared bool
}

// Ledger is an open ledger. Its methods may be called concurrently.
type Ledger struct {
	writer  *statements // where everything is written
	reader  *statements // where it is read; SQLite's file has connections of its own for it
	dialect dialect
	name    string // for messages; without the password
	lease   time.Duration
	now     func() time.Time
	owner   string
	path    string       // of the SQLite file; empty: none
	server  string       // and database, of PostgreSQL; empty: none
	lock    *flock.Flock // of the SQLite file; nil before Hold
	held    atomic.Bool

	opening int64 // which opening of the ledger this is; 0 before Hold

	mu         sync.Mutex
	taken      map[string]takenEntry     // what this bridge took and has not settled, by entry
	unrecorded map[string]backup.Outcome // what Record was told and could not write, by entry
	rotation   int                       // how many were taken, see oldestShare
}

// Open opens the ledger, makes it if it is missing and brings its schema up to
// date. The error names the place and the remedy; ErrNewer if a newer program
// wrote the ledger, ErrForeign if another one did, whose file stays as it is.
func Open(ctx context.Context, o Options) (*Ledger, error) {
	l := &Ledger{lease: cmp.Or(o.Lease, LeaseTime), now: o.Now, owner: rand.Text(),
		taken: map[string]takenEntry{}, unrecorded: map[string]backup.Outcome{}}
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
	// Programs that start at the same moment on a file that is not there yet are
	// refused without a wait, whatever busyTimeout says, where one turns it into WAL.
	err := retry.Do(ctx, retry.WithMaxDuration(busyTimeout, retry.NewConstant(50*time.Millisecond)), func(ctx context.Context) error {
		err := l.refuseForeign(ctx)
		if err == nil {
			err = l.migrate(ctx)
		}
		if busy(err) {
			return retry.RetryableError(err)
		}
		return err
	})
	if err != nil {
		return nil, errors.Join(l.explain("open", err), l.closeDatabases())
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
	err := l.closeDatabases()
	if l.lock != nil {
		err = errors.Join(err, l.lock.Close())
	}
	if err != nil {
		return l.explain("close", err)
	}
	return nil
}

func (l *Ledger) closeDatabases() error {
	var err error
	if l.reader != l.writer {
		err = l.reader.db.Close()
	}
	return errors.Join(err, l.writer.db.Close())
}
