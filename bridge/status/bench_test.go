package status_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/internal/ratio"
	"covebridge/bridge/ledger"
	"covebridge/bridge/status"
)

var now = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

// filled is a ledger of runs whose ends are this far apart, up to now. Of the
// newest, one in ten waits and one in ten failed; the older ones were over at first sight.
func filled(b *testing.B, runs int, apart time.Duration) *ledger.Ledger {
	b.Helper()
	l, err := ledger.Open(b.Context(), ledger.Options{SQLite: filepath.Join(b.TempDir(), "ledger.db"), Now: func() time.Time { return now }})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	const devices, recent = 500, 500
	mail := []byte("Subject: s\r\n\r\n" + strings.Repeat("A line of an ordinary mail.\r\n", 100))
	var steps []backup.Step
	for n := range devices {
		d := backup.Device{Product: "cove", ID: fmt.Sprint(n), Name: fmt.Sprintf("srv%d", n), Customer: fmt.Sprintf("Customer %d", n%40), Type: backup.Server}
		s := backup.Step{Key: d.Key()}
		s.Record.Account, s.Record.Journal.Device = "msp", d
		for i := n; i < runs; i += devices {
			r := backup.Run{ID: fmt.Sprintf("cove-%d-%d", n, i), Kind: backup.Whole, Job: d.Name, Device: d, End: now.Add(-time.Duration(i) * apart)}
			e := backup.Entry{Run: r, Account: "msp", State: backup.EntryBaseline, MessageID: r.ID + "@covebridge", Mail: mail}
			switch {
			case i < recent && i%10 == 0:
				e.State = backup.EntryQueued
			case i < recent && i%10 == 1:
				e.State, e.Reason = backup.EntryFailed, "no"
			}
			s.Entries = append(s.Entries, e)
		}
		if steps = append(steps, s); len(steps) == 50 || n == devices-1 {
			if stale, err := l.Commit(b.Context(), steps); err != nil || stale != nil {
				b.Fatal(stale, err)
			}
			steps = steps[:0]
		}
	}
	return l
}

func read(b *testing.B, l *ledger.Ledger) func() {
	return func() {
		if s, err := status.Read(b.Context(), l, now, time.UTC); err != nil || s.Backlog.Mails == 0 {
			b.Fatal(s.Backlog, err)
		}
	}
}

// BenchmarkReadOld reads how things stand where 1,000 runs end a day, from
// three months of them beside one day.
func BenchmarkReadOld(b *testing.B) {
	const apart = 86 * time.Second
	ratio.Of(b, "of-a-day", read(b, filled(b, 1000, apart)), read(b, filled(b, 90_000, apart)))
}

// BenchmarkReadBusy reads how things stand where 20,000 runs end a day, beside
// 1,000: it grows as the runs of a day do, for each is looked at.
func BenchmarkReadBusy(b *testing.B) {
	ratio.Of(b, "of-1000-a-day", read(b, filled(b, 1000, 86*time.Second)), read(b, filled(b, 20_000, 4300*time.Millisecond)))
}

// BenchmarkSearch looks in vain for a word in 90,000 runs, beside 9,000.
func BenchmarkSearch(b *testing.B) {
	search := func(l *ledger.Ledger) func() {
		return func() {
			if found, err := l.Entries(b.Context(), ledger.Query{Text: "nowhere", Limit: 51}); err != nil || found != nil {
				b.Fatal(found, err)
			}
		}
	}
	ratio.Of(b, "of-9000", search(filled(b, 9000, time.Minute)), search(filled(b, 90_000, time.Minute)))
}
