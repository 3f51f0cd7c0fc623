package ledger

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"covebridge/bridge/backup"
)

// firstEdition fills a new place with a ledger of the first edition: three
// devices, and entries in every state that there was.
func firstEdition(t *testing.T, p place) []backup.Entry {
	t.Helper()
	driver, source := "sqlite", "file:"+p.SQLite
	if p.Postgres != "" {
		driver, source = "pgx", p.Postgres
	}
	db, err := sql.Open(driver, source)
	must(t, err)
	defer db.Close()
	exec := func(query string, args ...any) {
		t.Helper()
		if _, err := db.Exec(query, args...); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile("migrations/00001_ledger.sql")
	must(t, err)
	_, up, _ := strings.Cut(string(text), "-- +goose Up\n")
	exec(up)
	id := "INTEGER PRIMARY KEY AUTOINCREMENT"
	if p.Postgres != "" {
		id = "SERIAL PRIMARY KEY"
	}
	exec("CREATE TABLE ledger_version (id " + id + ", version_id BIGINT NOT NULL, is_applied BOOLEAN NOT NULL, tstamp TIMESTAMP DEFAULT CURRENT_TIMESTAMP)")
	exec("INSERT INTO ledger_version (version_id, is_applied) VALUES (0, TRUE), (1, TRUE)")

	asJSON := func(v any) string {
		data, err := json.Marshal(v)
		must(t, err)
		return string(data)
	}
	for n := range 3 {
		d := device(n)
		exec("INSERT INTO devices VALUES ($1, 'msp', 'abc', $2, $3, $2, $2, $4, 3, $5)",
			d.Key(), start.UnixMicro(), start.Add(-time.Hour).UnixMicro(), []string{"", "node unreachable", ""}[n], asJSON(d))
		for i := range 3 {
			s := backup.Session{ID: fmt.Sprint(i), Source: backup.DataSource{Key: "D01", Name: "Files"}, State: backup.Ended,
				Start: start.Add(time.Duration(i) * time.Hour), End: start.Add(time.Duration(i)*time.Hour + time.Minute)}
			run := sql.NullString{String: backup.Identity(d, nil, s.Start, backup.Whole), Valid: i < 2}
			exec("INSERT INTO sessions VALUES ($1, $2, 'D01', $3, $4, $5, $6, $7, $8)",
				d.Key(), i+1, s.ID, string(s.State), s.Start.UnixMicro(), s.End.UnixMicro(), run, asJSON(s))
		}
	}
	put := func(e backup.Entry) backup.Entry {
		t.Helper()
		doubt := 0
		if e.Doubt {
			doubt = 1
		}
		var mail any
		if e.Mail != nil {
			mail = e.Mail
		}
		e.Created, e.Updated = start.Add(time.Hour), start.Add(2*time.Hour)
		exec(`INSERT INTO entries VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 'dead bridge', $15, $16, $17, $18, $19, $20)`,
			e.Run.ID, e.Run.Device.Key(), e.Account, string(e.Run.Kind), int64(e.Run.Status), e.Run.End.UnixMicro(), string(e.State), e.Reason,
			e.MessageID, doubt, e.Mark, e.Receipt, e.Attempts, micros(e.Next), start.UnixMicro(), e.Created.UnixMicro(), e.Updated.UnixMicro(),
			searchText(e), asJSON(e.Run), mail)
		exec("INSERT INTO events VALUES ($1, 1, $2, 'queued', '')", e.Run.ID, start.UnixMicro())
		return e
	}
	var all []backup.Entry
	make := func(n int, end time.Duration, status backup.Status, change func(*backup.Entry)) {
		e := entry(device(n), end, status)
		change(&e)
		all = append(all, put(e))
	}
	make(0, 1*time.Minute, backup.Success, func(e *backup.Entry) { e.State, e.Receipt = backup.EntrySent, "uid 1" })
	make(0, 2*time.Minute, backup.Success, func(e *backup.Entry) { e.State, e.Receipt, e.Mail = backup.EntrySent, "uid 2", nil })
	make(0, 3*time.Minute, backup.Failed, func(e *backup.Entry) { e.State, e.Reason, e.Attempts = backup.EntryFailed, "550", 3 })
	make(0, 4*time.Minute, backup.Success, func(e *backup.Entry) { e.State, e.Mail = backup.EntryBaseline, nil })
	make(1, 1*time.Minute, backup.Warning, func(e *backup.Entry) { e.State, e.Mark = backup.EntrySending, "1:17" })
	make(1, 2*time.Minute, backup.Failed, func(e *backup.Entry) {})
	make(2, 1*time.Minute, backup.Success, func(e *backup.Entry) {
		e.Doubt, e.Mark, e.Attempts, e.Reason, e.Next = true, "1:5", 2, "cut", start.Add(30*time.Minute)
	})
	make(2, 2*time.Minute, backup.Success, func(e *backup.Entry) { e.State, e.Reason, e.Mail = backup.EntryFiltered, "types", nil })
	exec("INSERT INTO facts VALUES ('sweep msp', 'x')")
	return all
}

// TestFirstEdition: nothing of a ledger of the first edition is lost or changed,
// and what waited goes on, in doubt, in its order. Several bridges start at once.
func TestFirstEdition(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		want := firstEdition(t, p)
		errs := make(chan error)
		for range 3 {
			go func() {
				l, err := Open(t.Context(), p.Options)
				if err == nil {
					err = l.Close()
				}
				errs <- err
			}()
		}
		must(t, errors.Join(<-errs, <-errs, <-errs))
		l := p.opened(t)
		for _, e := range want {
			got, events, err := l.Entry(t.Context(), e.Run.ID)
			must(t, err)
			e.Attempts = 0 // they counted every failure, whosever it was
			if diff := cmp.Diff(e, got); diff != "" || len(events) != 1 {
				t.Errorf("%s: events %v\n%s", e.Run.ID, events, diff)
			}
		}
		for n := range 3 {
			d := device(n)
			var sessions []backup.Session
			runs := []string{backup.Identity(d, nil, start, backup.Whole), backup.Identity(d, nil, start.Add(time.Hour), backup.Whole), ""}
			for i := range 3 {
				s := backup.Session{ID: fmt.Sprint(i), Source: backup.DataSource{Key: "D01", Name: "Files"}, State: backup.Ended,
					Start: start.Add(time.Duration(i) * time.Hour), End: start.Add(time.Duration(i)*time.Hour + time.Minute)}
				sessions = append(sessions, s)
			}
			// As it is when it comes back from JSON.
			packed, err := packJSON(backup.NewJournal(d, start, []string{"", "node unreachable", ""}[n], sessions, runs))
			must(t, err)
			journal := backup.Record{Account: "msp", Version: 1}
			must(t, unpackJSON("journal", packed, &journal.Journal))
			got, err := l.Load(t.Context(), d.Key())
			must(t, err)
			if asText(t, got) != asText(t, journal) {
				t.Errorf("device %d: %s\nwant %s", n, asText(t, got), asText(t, journal))
			}
		}
		if v, err := l.Value(t.Context(), "sweep msp"); v != "x" || err != nil {
			t.Errorf("value %q, %v", v, err)
		}
		if found, err := l.Entries(t.Context(), Query{Text: "SRV02", State: backup.EntryFiltered}); len(found) != 1 || err != nil {
			t.Errorf("searched: %v, %v", found, err)
		}

		taken, err := l.Take(t.Context(), 9)
		must(t, err)
		if len(taken) != 1 || taken[0].Run.ID != want[4].Run.ID || !taken[0].Doubt || taken[0].Mark != "1:17" || string(taken[0].Mail) != string(want[4].Mail) {
			t.Errorf("took %+v", taken)
		}
		if wait, some, err := l.NextDue(t.Context()); wait != 30*time.Minute || !some || err != nil {
			t.Errorf("due in %s, %v, %v", wait, some, err)
		}
		record(t, l, sent(want[4].Run.ID, "found"))
		p.clock.Add(30 * time.Minute)
		taken, err = l.Take(t.Context(), 9)
		must(t, err)
		if len(taken) != 2 || taken[0].Run.ID != want[5].Run.ID || taken[1].Run.ID != want[6].Run.ID || taken[1].Mark != "1:5" || !taken[0].Doubt || !taken[1].Doubt {
			t.Errorf("took %+v", taken)
		}
		must(t, l.Prune(t.Context(), start.Add(24*time.Hour)))
		if e := get(t, l, want[0].Run.ID); e.Mail != nil || e.Receipt != "uid 1" {
			t.Errorf("pruned: %+v", e)
		}
		if e := get(t, l, want[2].Run.ID); e.Mail == nil {
			t.Error("what failed lost its mail")
		}
	})
}

func asText(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	must(t, err)
	return string(data)
}
