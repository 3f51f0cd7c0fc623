package ledger

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/internal/pgtest"
)

var start = time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)

// clock is a clock that moves only when told to.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// place is where a ledger of a test is, to be opened again and again.
type place struct {
	Options
	clock *clock
}

// each runs the test on a new ledger of each kind.
func each(t *testing.T, test func(t *testing.T, p place)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, sqlitePlace(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, place{Options{Postgres: pgtest.URL(t)}, &clock{now: start}}) })
}

func sqlitePlace(t testing.TB) place {
	c := &clock{now: start}
	return place{Options{SQLite: filepath.Join(t.TempDir(), "covebridge.db"), Now: c.Now}, c}
}

// open opens the ledger and holds it, until the test ends.
func (p place) open(t testing.TB) *Ledger {
	t.Helper()
	l, err := Open(t.Context(), p.Options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.db.Close(); l.unlock() })
	if err := l.Hold(t.Context()); err != nil {
		t.Fatal(err)
	}
	return l
}

// crash ends the process as far as the ledger can tell, and starts it anew
// after the leases of the old one are over.
func (p place) crash(t testing.TB, l *Ledger) *Ledger {
	t.Helper()
	l.db.Close()
	l.unlock()
	l = p.open(t)
	l.expire(t)
	return l
}

// unlock gives the file free, as the system does when a process ends.
func (l *Ledger) unlock() {
	if l.lock != nil {
		l.lock.Close()
	}
}

// expire lets time pass until all leases are over.
func (l *Ledger) expire(t testing.TB) {
	t.Helper()
	l.sql(t, "UPDATE entries SET lease_until = 1 WHERE lease_until > 1")
	l.sql(t, "UPDATE leases SET lease_until = 1")
}

// sql changes what no method can.
func (l *Ledger) sql(t testing.TB, query string, args ...any) {
	t.Helper()
	if _, err := l.db.ExecContext(context.Background(), query, args...); err != nil {
		t.Fatal(err)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func device(n int) Device {
	return Device{Device: backup.Device{Product: "cove", Software: "Cove Data Protection", ID: fmt.Sprint(n), Name: fmt.Sprintf("srv%02d_ab12c", n),
		Type: backup.Server, Customer: "Acme BV", UsedStorage: backup.Unknown}, Account: "msp", Seen: start}
}

func session(source string, after, length time.Duration) backup.Session {
	s := backup.Session{ID: fmt.Sprint(source, after), Source: backup.DataSource{Key: source, Name: "Source " + source},
		State: backup.Running, Start: start.Add(after), Result: "InProcess (1)", SelectedCount: backup.Unknown}
	if length > 0 {
		s.State, s.End, s.Result = backup.Ended, s.Start.Add(length), "Completed (5)"
	}
	return s
}

// entry is a queued run of a device that ended so long after the start.
func entry(d Device, end time.Duration, status backup.Status) Entry {
	r := backup.Run{Kind: backup.Whole, Job: d.Name, Device: d.Device, Status: status, Start: start.Add(end - time.Minute), End: start.Add(end)}
	r.ID = backup.Identity(r.Device, nil, r.Start, r.Kind)
	return Entry{Run: r, Account: d.Account, State: Queued, MessageID: r.ID + "@covebridge", Mail: []byte("Subject: " + r.ID + "\r\n\r\nbody")}
}

func commit(t testing.TB, l *Ledger, entries ...Entry) {
	t.Helper()
	n, err := l.Commit(t.Context(), entries...)
	if err != nil || n != len(entries) {
		t.Fatalf("Commit: %d of %d new, %v", n, len(entries), err)
	}
}

// take takes up to n entries and gives their ids.
func take(t testing.TB, l *Ledger, n int) (ids []string) {
	t.Helper()
	taken, err := l.Take(t.Context(), n)
	must(t, err)
	for _, e := range taken {
		ids = append(ids, e.Run.ID)
	}
	return ids
}

func get(t testing.TB, l *Ledger, id string) Entry {
	t.Helper()
	e, _, err := l.Entry(t.Context(), id)
	must(t, err)
	return e
}
