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
	t.Run("postgres", func(t *testing.T) { test(t, postgresPlace(t)) })
}

func sqlitePlace(t testing.TB) place {
	c := &clock{now: start}
	return place{Options{SQLite: filepath.Join(t.TempDir(), "covebridge.db"), Now: c.Now}, c}
}

func postgresPlace(t testing.TB) place {
	return place{Options{Postgres: pgtest.URL(t)}, &clock{now: start}}
}

// open opens the ledger and holds it, until the test ends.
func (p place) open(t testing.TB) *Ledger {
	t.Helper()
	l, err := Open(t.Context(), p.Options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.closeDatabases(); l.unlock() })
	if err := l.Hold(t.Context()); err != nil {
		t.Fatal(err)
	}
	return l
}

// opened opens the ledger with the test's clock, for PostgreSQL too.
func (p place) opened(t testing.TB) *Ledger {
	l := p.open(t)
	l.dialect.clock, l.now = "", p.clock.Now
	return l
}

// crash ends the process as far as the ledger can tell, and starts it anew
// after the leases of the old one are over.
func (p place) crash(t testing.TB, l *Ledger) *Ledger {
	t.Helper()
	l.closeDatabases()
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
	l.sql(t, "UPDATE queues SET due = 1 WHERE owner <> '' AND due > 1")
	l.sql(t, "UPDATE leases SET lease_until = 1")
}

// sql changes what no method can.
func (l *Ledger) sql(t testing.TB, query string, args ...any) {
	t.Helper()
	if _, err := l.writer.db.ExecContext(context.Background(), query, args...); err != nil {
		t.Fatal(err)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func device(n int) backup.Device {
	return backup.Device{Product: "cove", Software: "Cove Data Protection", ID: fmt.Sprint(n), Name: fmt.Sprintf("srv%02d_ab12c", n),
		Type: backup.Server, Customer: "Acme BV", UsedStorage: backup.Unknown}
}

// entry is a queued run of a device that ended so long after the start.
func entry(d backup.Device, end time.Duration, status backup.Status) backup.Entry {
	r := backup.Run{Kind: backup.Whole, Job: d.Name, Device: d, Status: status, Start: start.Add(end - time.Minute), End: start.Add(end)}
	r.ID = backup.Identity(r.Device, nil, r.Start, r.Kind)
	return backup.Entry{Run: r, Account: "msp", State: backup.EntryQueued, MessageID: r.ID + "@covebridge", Mail: []byte("Subject: " + r.ID + "\r\n\r\nbody")}
}

// step looks at a device and finds these runs.
func step(t testing.TB, l *Ledger, d backup.Device, entries ...backup.Entry) backup.Step {
	t.Helper()
	record, err := l.Load(t.Context(), d.Key())
	must(t, err)
	record.Account, record.Fingerprint, record.Journal.Device = "msp", record.Fingerprint+1, d
	return backup.Step{Key: d.Key(), Record: record, Entries: entries}
}

// commit puts the entries into the outbox, in one transaction.
func commit(t testing.TB, l *Ledger, entries ...backup.Entry) {
	t.Helper()
	var steps []backup.Step
	at := map[string]int{}
	for _, e := range entries {
		i, ok := at[e.Run.Device.Key()]
		if !ok {
			i = len(steps)
			at[e.Run.Device.Key()] = i
			steps = append(steps, step(t, l, e.Run.Device))
		}
		steps[i].Entries = append(steps[i].Entries, e)
	}
	stale, err := l.Commit(t.Context(), steps)
	if err != nil || len(stale) > 0 {
		t.Fatalf("Commit: %v stale, %v", stale, err)
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

// begin begins to send what was taken.
func begin(t testing.TB, l *Ledger, id, mark string) {
	t.Helper()
	if lost, err := l.Begin(t.Context(), []string{id}, mark); err != nil || len(lost) > 0 {
		t.Fatalf("Begin: lost %v, %v", lost, err)
	}
}

// record tells what became of entries.
func record(t testing.TB, l *Ledger, outcomes ...backup.Outcome) {
	t.Helper()
	must(t, l.Record(t.Context(), outcomes))
}

func sent(id, receipt string) backup.Outcome {
	return backup.Outcome{ID: id, State: backup.EntrySent, Detail: receipt}
}

func failed(id, cause string) backup.Outcome {
	return backup.Outcome{ID: id, State: backup.EntryFailed, Detail: cause}
}

// refused is a try that counts against the mail.
func refused(id string, after time.Duration) backup.Outcome {
	return backup.Outcome{ID: id, State: backup.EntryQueued, Detail: "450 not now", After: after, Counts: true}
}

// cut is a delivery whose outcome is not known.
func cut(id string) backup.Outcome {
	return backup.Outcome{ID: id, State: backup.EntryQueued, Detail: "cut", Doubt: true}
}

func get(t testing.TB, l *Ledger, id string) backup.Entry {
	t.Helper()
	e, _, err := l.Entry(t.Context(), id)
	must(t, err)
	return e
}
