//go:build linux

package endtoend

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"covebridge/bridge/internal/dovecot"
	"covebridge/bridge/internal/pgtest"
	"covebridge/bridge/ledger"
)

// crashLedger is a kind of ledger of which copies can be made.
type crashLedger interface {
	keep(s *site)                                   // the ledger that a run left is what later runs begin with
	restore(s *site) (settings string, drop func()) // a copy for a run
	lapse(s *site)                                  // lets the leases of a dead bridge end
	pass(s *site, d time.Duration)                  // lets what waits for another try be due
}

// crashMailbox is a kind of mailbox of which each run has one.
type crashMailbox interface {
	make(s *site) (settings string, drop func())
	take(s *site) []arrival // reads the mails in the order of their arrival, and takes them away, as a reader does
}

type sqliteLedger struct{ kept []byte }

func inSQLite(testing.TB) crashLedger { return &sqliteLedger{} }

func (l *sqliteLedger) keep(s *site) {
	s.Helper()
	if _, err := os.Stat(filepath.Join(s.dir, "ledger.db-wal")); err == nil {
		s.Fatal("the program has not closed its ledger")
	}
	var err error
	if l.kept, err = os.ReadFile(filepath.Join(s.dir, "ledger.db")); err != nil {
		s.Fatal(err)
	}
}

func (l *sqliteLedger) restore(s *site) (string, func()) {
	s.Helper()
	if l.kept != nil {
		s.write("ledger.db", string(l.kept))
	}
	return "ledger: {sqlite: ledger.db}\n", func() {}
}

func (l *sqliteLedger) lapse(*site) {} // Hold ends them

func (l *sqliteLedger) pass(s *site, d time.Duration) {
	s.Helper()
	pass(s, "sqlite", filepath.Join(s.dir, "ledger.db"), d)
}

type postgresLedger struct {
	db     *sql.DB
	base   url.URL
	kept   string // a database
	number int
}

func inPostgres(t testing.TB) crashLedger {
	base, err := url.Parse(pgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("pgx", base.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return &postgresLedger{db: db, base: *base, kept: "template0"}
}

func (l *postgresLedger) name() string { return fmt.Sprintf("%s_%d", l.base.Path[1:], l.number) }

func (l *postgresLedger) exec(s *site, query string) {
	s.Helper()
	if _, err := l.db.ExecContext(context.Background(), query); err != nil {
		s.Fatalf("%s: %v", query, err)
	}
}

func (l *postgresLedger) keep(s *site) {
	s.Helper()
	copied := l.base.Path[1:] + "_kept"
	l.exec(s, "CREATE DATABASE "+copied+" TEMPLATE "+l.name())
	l.kept = copied
}

func (l *postgresLedger) restore(s *site) (string, func()) {
	s.Helper()
	l.number++
	name := l.name()
	l.exec(s, "CREATE DATABASE "+name+" TEMPLATE "+l.kept)
	return fmt.Sprintf("ledger: {postgres: '%s'}\n", l.url()), func() { l.exec(s, "DROP DATABASE "+name+" WITH (FORCE)") }
}

func (l *postgresLedger) url() string {
	u := l.base
	u.Path = "/" + l.name()
	return u.String()
}

func (l *postgresLedger) lapse(s *site) { l.pass(s, ledger.LeaseTime) }

func (l *postgresLedger) pass(s *site, d time.Duration) {
	s.Helper()
	pass(s, "pgx", l.url(), d)
}

// pass does to a ledger what passing time does: a minute's wait at each point
// would be a week for all.
func pass(s *site, driver, place string, d time.Duration) {
	s.Helper()
	db, err := sql.Open(driver, place)
	if err != nil {
		s.Fatal(err)
	}
	defer db.Close()
	for _, query := range []string{
		"UPDATE leases SET lease_until = lease_until - $1",
		"UPDATE queues SET due = due - $1 WHERE due > 0",
		"UPDATE entries SET next = next - $1 WHERE next > 0",
	} {
		_, err := db.ExecContext(context.Background(), query, d.Microseconds())
		if err != nil && !missingTable(err) {
			s.Fatal(err)
		}
	}
}

// missingTable tells that the program did not get as far as making it.
func missingTable(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "42P01" || strings.Contains(err.Error(), "no such table")
}

type directoryMailbox struct{}

func inDirectory(testing.TB) crashMailbox { return directoryMailbox{} }

func (directoryMailbox) make(s *site) (string, func()) {
	s.Helper()
	if err := os.Mkdir(filepath.Join(s.dir, "mails"), 0o700); err != nil {
		s.Fatal(err)
	}
	return "delivery: {directory: mails}\n", func() {}
}

func (directoryMailbox) take(s *site) (all []arrival) {
	s.Helper()
	files, _ := filepath.Glob(filepath.Join(s.dir, "mails", "[^.]*.eml"))
	arrived := map[string]time.Time{}
	for _, file := range files {
		var stat syscall.Stat_t
		if err := syscall.Stat(file, &stat); err != nil {
			s.Fatal(err)
		}
		raw, err := os.ReadFile(file)
		if err != nil {
			s.Fatal(err)
		}
		id := filepath.Base(file)
		arrived[id] = time.Unix(stat.Ctim.Unix()) // of the rename; its clock ticks every few milliseconds
		all = append(all, mailOf(s.TB, id, raw))
		if err := os.Remove(file); err != nil {
			s.Fatal(err)
		}
	}
	return sorted(arrived, all)
}

type dovecotMailbox struct {
	server *dovecot.Server
	number int
	seen   int
}

func inDovecot(t testing.TB) crashMailbox {
	return &dovecotMailbox{server: dovecot.Start(t, dovecot.Options{})}
}

func (m *dovecotMailbox) folder() string { return fmt.Sprint("Cove", m.number) }

func (m *dovecotMailbox) make(s *site) (string, func()) {
	m.number++
	m.seen = 0
	return fmt.Sprintf("delivery: {imap: {address: %q, tls: none, username: %s, password: %s, mailbox: %s}}\n",
			m.server.Addr, m.server.User, m.server.Password, m.folder()), func() {
			if m.seen > 0 {
				m.server.Delete(s.TB, m.folder())
			}
		}
}

// take leaves the mails: where a mail was taken to is another matter, and the
// program is asked for what the folder holds.
func (m *dovecotMailbox) take(s *site) (all []arrival) {
	s.Helper()
	for _, mail := range m.server.Messages(s.TB, m.folder())[m.seen:] {
		all = append(all, mailOf(s.TB, mail.ID, mail.Bytes))
	}
	m.seen += len(all)
	return all
}
