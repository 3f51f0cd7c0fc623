package ledger

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/internal/ratio"
)

// real gives the first look at a device as it is in practice: one clean run of
// three data sources, and its mail.
func real(t testing.TB, n int) backup.Step {
	t.Helper()
	text, err := os.ReadFile("../../testdata/mails/all-good.json")
	must(t, err)
	mail, err := os.ReadFile("../../testdata/mails/all-good.eml")
	must(t, err)
	// Each device differs in what differs in practice.
	id := fmt.Sprint(1000000 + n*7919)
	vary := strings.NewReplacer("1234567", id, "srv01_ab12c", "srv"+id+"_ab12c", "SRV01", "SRV"+id, "Acme BV", "Customer "+id)
	var run backup.Run
	must(t, json.Unmarshal([]byte(vary.Replace(string(text))), &run))
	s := backup.Step{Key: run.Device.Key(), Due: run.End.Add(24 * time.Hour)}
	s.Record = backup.Record{Account: "msp", Fingerprint: uint64(n) * 0x9e3779b97f4a7c15}
	s.Record.Journal.Device, s.Record.Journal.First = run.Device, run.End
	for _, session := range run.Sessions {
		s.Record.Journal.Sessions = append(s.Record.Journal.Sessions, backup.Known{Session: session, Run: run.ID})
	}
	s.Entries = []backup.Entry{{Run: run, Account: "msp", State: backup.EntryQueued, MessageID: run.ID + "@covebridge", Mail: []byte(vary.Replace(string(mail)))}}
	return s
}

// TestSize: a device and its first mail, sent, fit into 8 KB of the file.
func TestSize(t *testing.T) {
	l := sqlitePlace(t).open(t)
	const devices = 1024
	size := func() int64 {
		l.sql(t, "PRAGMA wal_checkpoint(TRUNCATE)")
		info, err := os.Stat(l.path)
		must(t, err)
		return info.Size()
	}
	before := size()
	for first := 0; first < devices; first += 256 {
		var steps []backup.Step
		for n := range 256 {
			steps = append(steps, real(t, first+n))
		}
		stale, err := l.Commit(t.Context(), steps)
		if err != nil || stale != nil {
			t.Fatal(stale, err)
		}
	}
	for {
		ids := take(t, l, 32)
		if ids == nil {
			break
		}
		var outcomes []backup.Outcome
		for _, id := range ids {
			outcomes = append(outcomes, sent(id, "1700000000:17"))
		}
		if lost, err := l.Begin(t.Context(), ids, "1700000000:17"); err != nil || lost != nil {
			t.Fatal(lost, err)
		}
		record(t, l, outcomes...)
	}
	if each := (size() - before) / devices; each > 8<<10 {
		t.Errorf("%d bytes a device", each)
	} else {
		t.Logf("%d bytes a device", each)
	}
}

// BenchmarkCommit commits the first look at 256 devices, beside inserting the
// same rows by bare prepared statements in one transaction.
func BenchmarkCommit(b *testing.B) {
	l, bare := sqlitePlace(b).open(b), sqlitePlace(b).open(b)
	const devices = 256
	serial := 0
	next := func() (steps []backup.Step) {
		for range devices {
			steps = append(steps, real(b, serial))
			serial++
		}
		return steps
	}
	tables := []struct{ name, columns string }{
		{"devices", "id, account, fingerprint, version, due, journal"},
		{"entries", "id, device, account, kind, status, ended, message_id, words, created, state, reason, doubt, mark, receipt, attempts, next, opening, settled, updated"},
		{"runs", "entry, run"}, {"mails", "entry, mail"}, {"queues", "device, head, ended, worst, due, owner"}, {"events", "entry, number, at, what, detail"},
	}
	var inserts []*sql.Stmt
	for _, t := range tables {
		s, err := bare.writer.db.Prepare(fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s?)", t.name, t.columns, strings.Repeat("?, ", strings.Count(t.columns, ","))))
		must(b, err)
		inserts = append(inserts, s)
	}
	insert := func(steps []packedStep) {
		tx, err := bare.writer.db.Begin()
		must(b, err)
		for _, s := range steps {
			e := s.entries[0]
			id, end := e.Run.ID, e.Run.End.UnixMicro()
			for i, row := range [][]any{
				{s.Key, "msp", int64(s.Record.Fingerprint), 1, s.Due.UnixMicro(), s.journal},
				{id, s.Key, "msp", "run", 0, end, e.MessageID, e.words, end, "queued", "", 0, "", "", 0, 0, 1, 0, end},
				{id, e.run}, {id, e.mail}, {s.Key, id, end, 0, 0, ""}, {id, 1, end, "queued", ""},
			} {
				if _, err := tx.Stmt(inserts[i]).Exec(row...); err != nil {
					b.Fatal(err)
				}
			}
		}
		must(b, tx.Commit())
	}
	// What either is given is made beforehand.
	var plain [][]packedStep
	for range 22 {
		var packed []packedStep
		for _, s := range next() {
			p, err := packStep(s)
			must(b, err)
			packed = append(packed, p)
		}
		plain = append(plain, packed)
	}
	ready := next()
	ratio.Of(b, "bare-inserts", func() { insert(plain[0]); plain = plain[1:] }, func() {
		if stale, err := l.Commit(b.Context(), ready); err != nil || stale != nil {
			b.Fatal(stale, err)
		}
		b.StopTimer()
		ready = next()
		b.StartTimer()
	})
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*devices), "µs/device")
}

// BenchmarkTake takes 16 of 100,000 waiting mails of 10,000 devices and gives
// them back, beside the same with 1,000 waiting.
func BenchmarkTake(b *testing.B) {
	for _, name := range []string{"sqlite", "postgres"} {
		b.Run(name, func(b *testing.B) {
			open := map[string]func(testing.TB) place{"sqlite": sqlitePlace, "postgres": postgresPlace}[name]
			few, many := open(b).open(b), open(b).open(b)
			fill(b, few, 1000, 100)
			fill(b, many, 100000, 10000)
			ratio.Of(b, "of-1000", few.takeAndRelease(b), many.takeAndRelease(b))
		})
	}
}

func (l *Ledger) takeAndRelease(t testing.TB) func() {
	return func() {
		if ids := take(t, l, 16); len(ids) != 16 {
			t.Fatal(len(ids))
		}
		must(t, l.Release(t.Context()))
	}
}

// fill queues entries of ordinary size. The plans are those of production:
// nobody runs ANALYZE.
func fill(t testing.TB, l *Ledger, entries, devices int) {
	t.Helper()
	var steps []backup.Step
	text := strings.Repeat("A line of an ordinary mail.\r\n", 100)
	for n := range devices {
		d := device(n)
		s := backup.Step{Key: d.Key()}
		for i := range entries / devices {
			e := entry(d, time.Duration(n+i*devices)*time.Second, backup.Status(n%7/5))
			e.Mail = append(e.Mail, text...)
			s.Entries = append(s.Entries, e)
		}
		if steps = append(steps, s); len(steps) == 256 || n == devices-1 {
			stale, err := l.Commit(t.Context(), steps)
			if err != nil || stale != nil {
				t.Fatal(stale, err)
			}
			steps = steps[:0]
		}
	}
}
