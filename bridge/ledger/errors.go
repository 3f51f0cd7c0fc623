package ledger

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
	sqlite3 "modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"

	"covebridge/bridge/backup"
)

// What a method can answer beside success. Test with errors.Is.
var (
	// ErrNewer: the ledger's schema is newer than this program.
	ErrNewer = errors.New("this ledger was written by a newer covebridge")
	// ErrForeign: the SQLite file is another program's.
	ErrForeign = errors.New("this SQLite file is not a covebridge's")
	// ErrHeld: another bridge works on the SQLite file.
	ErrHeld = errors.New("another covebridge is running on it")
	// ErrNotHeld: mails are taken only after Hold.
	ErrNotHeld = errors.New("the ledger is not held")
	// ErrUnknown: there is no such entry.
	ErrUnknown = errors.New("not in the ledger")
	// ErrAmbiguous: several entries begin so.
	ErrAmbiguous = errors.New("several runs begin so: give more of the name")
	// ErrWaiting: the entry is being sent.
	ErrWaiting = errors.New("it is being sent at this moment: look at `covebridge history` in a minute")
	// ErrNotEmpty: Copy goes into an empty ledger only.
	ErrNotEmpty = errors.New("there is something in it already: copy into an empty one")
	// ErrItself: Copy was given the same ledger twice.
	ErrItself = errors.New("it can't be copied to itself: name another one")
	// ErrNoMail: there is no mail to send; the run has to be rendered again.
	ErrNoMail = errors.New("no mail is stored for it")
)

// explain says where something failed and what was being done, and adds what
// to do about it where that is known.
func (l *Ledger) explain(what string, err error) error {
	next := remedy(err)
	if strings.Contains(err.Error(), "\n") {
		err = oneLineError{err}
	}
	err = fmt.Errorf("ledger %s: %s: %w", l.name, what, err)
	if next != "" {
		return &backup.Advice{Err: err, Remedy: next}
	}
	return err
}

// busy tells whether another program holds the SQLite file.
func busy(err error) bool {
	var lite *sqlite3.Error
	return errors.As(err, &lite) && lite.Code()&0xff == codes.SQLITE_BUSY
}

// oneLineError is an error on one line: the PostgreSQL driver's take several.
type oneLineError struct{ error }

func (f oneLineError) Error() string { return strings.Join(strings.Fields(f.error.Error()), " ") }
func (f oneLineError) Unwrap() error { return f.error }

const (
	space = "free some space; nothing is half written, and the next try goes on from there"
	owned = "let the user that covebridge runs as read and write the file and its directory"
)

// remedy gives the next step for the administrator; empty: none is known.
func remedy(err error) string {
	var lite *sqlite3.Error
	var pg *pgconn.PgError
	var connect *pgconn.ConnectError
	var network *net.OpError
	switch {
	case errors.Is(err, context.Canceled):
		return ""
	case errors.As(err, &lite):
		return sqliteRemedies[lite.Code()&0xff]
	case errors.As(err, &pg):
		return postgresRemedies[pg.Code]
	case errors.As(err, &connect), errors.As(err, &network), errors.Is(err, io.ErrUnexpectedEOF):
		return "is the PostgreSQL server running, and can it be reached from here?"
	case errors.Is(err, fs.ErrPermission):
		return owned
	case errors.Is(err, fs.ErrNotExist):
		return "create the directory, or correct ledger.sqlite"
	case errors.Is(err, syscall.EISDIR):
		return "ledger.sqlite has to name a file, not a directory"
	case errors.Is(err, syscall.EROFS):
		return "the file system is read-only: choose another place with ledger.sqlite"
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return space
	}
	return ""
}

var sqliteRemedies = map[int]string{
	codes.SQLITE_FULL:     space,
	codes.SQLITE_IOERR:    "is the disk full or failing? Nothing is half written, and the next try goes on from there",
	codes.SQLITE_READONLY: owned,
	codes.SQLITE_PERM:     owned,
	codes.SQLITE_CANTOPEN: owned,
	codes.SQLITE_NOTADB:   "the file is no ledger: choose another one with ledger.sqlite",
	// SQLite takes a disk that gives an error for a damaged file too.
	codes.SQLITE_CORRUPT: "if the disk is failing (see the system's log), the next try goes on once it can be read; if not, the file is damaged: restore it from a backup, or move it away to start with an empty ledger",
	codes.SQLITE_BUSY:    "another program holds the file for long: end it",
}

// https://www.postgresql.org/docs/current/errcodes-appendix.html
var postgresRemedies = map[string]string{
	"53100": "free some space on the PostgreSQL server; nothing is half written, and the next try goes on from there",
	"53300": "the PostgreSQL server allows no more connections: raise its max_connections",
	"28P01": "correct user name and password in ledger.postgres",
	"28000": "allow the login in the PostgreSQL server's pg_hba.conf, or correct ledger.postgres",
	"3D000": "create the database, or correct ledger.postgres",
	"42501": "let the user of ledger.postgres create and change tables in the database",
	"25006": "the PostgreSQL server takes no changes: point ledger.postgres at the primary server",
	"57P03": "the PostgreSQL server is starting or stopping: wait",
}
