package ledger

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"covebridge/bridge/backup"
)

func TestRecord(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		l := p.open(t)
		d := device(1)
		d.Fingerprint, d.NoHistory, d.Baseline = "a", "node unreachable", start.Add(-24*time.Hour)
		d.CustomerPath, d.ColourBar = []string{"Top", "Acme BV"}, []backup.Day{{Date: "2026-03-01", Word: "Completed"}}
		files, sql := session("D01", 0, time.Minute), session("D10", time.Second, 0)
		sql.Errors = []backup.Error{{Text: "kept with the run only", Count: 1}}
		sessions := []backup.Session{files, sql}
		must(t, l.Record(t.Context(), d, sessions))
		if sessions[0].Row != 1 || sessions[1].Row != 2 {
			t.Fatalf("filled in: %+v", sessions)
		}
		got, found, err := l.Device(t.Context(), d.Key())
		if diff := cmp.Diff(d, got); diff != "" || !found || err != nil {
			t.Errorf("device: %v, %v\n%s", found, err, diff)
		}
		sessions[1].Errors = nil
		read := func() []backup.Session {
			t.Helper()
			all, err := l.Sessions(t.Context(), d.Key(), start)
			must(t, err)
			return all
		}
		if diff := cmp.Diff(sessions, read()); diff != "" {
			t.Error(diff)
		}

		// The second one ends, and the product lists the first one again.
		d.Seen = start.Add(time.Hour)
		sessions[1].State, sessions[1].End = backup.Ended, start.Add(30*time.Minute)
		again := files
		again.ErrorCount = 3
		update := []backup.Session{sessions[1], again, session("D02", time.Hour, time.Minute)}
		must(t, l.Record(t.Context(), d, update))
		all := read()
		if len(all) != 3 || all[0].ErrorCount != 3 || update[1].Row != 1 {
			t.Errorf("after the update: %+v", all)
		}

		// All or nothing: the last one has no such row.
		gone := session("D02", 2*time.Hour, time.Minute)
		gone.Row = 77
		if err := l.Record(t.Context(), d, []backup.Session{session("D02", 3*time.Hour, time.Minute), gone}); !errors.Is(err, ErrUnknown) {
			t.Errorf("unknown row: %v", err)
		}
		if all := read(); len(all) != 3 {
			t.Errorf("half recorded: %+v", all)
		}

		s, found, err := l.Before(t.Context(), d.Key(), "D02", start.Add(2*time.Hour))
		if !found || err != nil || s.ID != "D021h0m0s" {
			t.Errorf("Before: %+v, %v, %v", s, found, err)
		}
		if _, found, err = l.Before(t.Context(), d.Key(), "D02", start.Add(time.Hour)); found || err != nil {
			t.Errorf("Before the first: %v, %v", found, err)
		}
		if _, found, err = l.Device(t.Context(), "cove-99"); found || err != nil {
			t.Errorf("unknown device: %v, %v", found, err)
		}
	})
}

func TestCommit(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		l := p.open(t)
		d := device(1)
		sessions := []backup.Session{session("D01", 0, time.Minute), session("D10", 0, time.Minute), session("D10", time.Hour, 0)}
		sessions[0].Errors = []backup.Error{{Text: "no access", File: "C:\\x", Count: 2}}
		must(t, l.Record(t.Context(), d, sessions))
		sessions[0].Errors = []backup.Error{{Text: "no access", File: "C:\\x", Count: 2}}
		e := entry(d, time.Minute, backup.Failed)
		e.Run.Sessions, e.Run.Replaced = sessions[:1], sessions[1:2]
		e.Run.Remarks = []string{"a remark"}
		commit(t, l, e)
		all, err := l.Sessions(t.Context(), d.Key(), start)
		must(t, err)
		if all[0].Run != e.Run.ID || all[1].Run != e.Run.ID || all[2].Run != "" {
			t.Errorf("tied: %+v", all)
		}
		got := get(t, l, e.Run.ID)
		want := e.Run
		want.Sessions, want.Replaced = []backup.Session{sessions[0]}, nil
		want.Sessions[0].Row = 0
		if diff := cmp.Diff(want, got.Run); diff != "" {
			t.Error(diff)
		}
		e.Run.Sessions = all[:1]

		// A second time it is left as it is.
		e.Mail = []byte("other")
		if n, err := l.Commit(t.Context(), e); n != 0 || err != nil {
			t.Errorf("second Commit: %d, %v", n, err)
		}
		if got := get(t, l, e.Run.ID); string(got.Mail) == "other" {
			t.Error("a stored mail was changed")
		}

		// What is in a run stays there, and nothing of the call is stored.
		other, free := entry(d, 2*time.Hour, backup.Success), entry(d, 3*time.Hour, backup.Success)
		free.Run.Sessions, other.Run.Sessions = all[2:], all[:1]
		if _, err := l.Commit(t.Context(), free, other); !errors.Is(err, ErrConflict) {
			t.Errorf("conflict: %v", err)
		}
		if open, err := l.OpenDevices(t.Context(), "msp"); err != nil || len(open) != 1 {
			t.Errorf("open: %+v, %v", open, err)
		}
		if counts, err := l.Counts(t.Context()); err != nil || cmp.Diff(map[State]int{Queued: 1}, counts) != "" {
			t.Errorf("counts %v, %v", counts, err)
		}

		// The warning after max_wait leaves the session open.
		overdue := entry(d, 25*time.Hour, backup.Warning)
		overdue.Run.Kind, overdue.Run.ID, overdue.Run.Sessions = backup.Overdue, overdue.Run.ID+"-overdue", all[2:]
		commit(t, l, overdue, free)
		if open, err := l.OpenDevices(t.Context(), "msp"); err != nil || len(open) != 0 {
			t.Errorf("open: %+v, %v", open, err)
		}

		for i, state := range []State{Filtered, Baseline, Failed} {
			quiet := entry(device(2), time.Duration(i)*time.Hour, backup.Success)
			quiet.State, quiet.Reason, quiet.Mail = state, "because", nil
			commit(t, l, quiet)
			if _, events, err := l.Entry(t.Context(), quiet.Run.ID); err != nil || len(events) != 1 || events[0].What != string(state) || events[0].Detail != "because" {
				t.Errorf("%s: %+v, %v", state, events, err)
			}
		}
		bad := entry(device(3), 0, backup.Success)
		for _, bad.State = range []State{Sending, Sent, ""} {
			if _, err := l.Commit(t.Context(), bad); err == nil {
				t.Errorf("began as %q", bad.State)
			}
		}
		bad.State, bad.Mail = Queued, nil
		if _, err := l.Commit(t.Context(), bad); !errors.Is(err, ErrNoMail) {
			t.Errorf("queued without a mail: %v", err)
		}
	})
}

func TestDevices(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		l := p.open(t)
		for n := range 2 {
			must(t, l.Record(t.Context(), device(n), []backup.Session{session("D01", 0, time.Minute)}))
		}
		late := entry(device(0), 3*time.Hour, backup.Failed)
		late.Run.Kind = backup.Silence
		late.Run.ID += "-silence"
		commit(t, l, entry(device(0), time.Hour, backup.Success), entry(device(0), 2*time.Hour, backup.Warning), late)
		all, err := l.Devices(t.Context())
		must(t, err)
		if len(all) != 2 || all[0].Status != backup.Warning || !all[0].End.Equal(start.Add(2*time.Hour)) || all[0].State != Queued || all[0].Open != 1 || all[1].RunID != "" {
			t.Errorf("got %+v", all)
		}
	})
}

// TestHostile: texts from outside hold anything. What comes in has to be stored,
// and found again, in both databases.
func TestHostile(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		l := p.open(t)
		for i, text := range []string{"nul \x00 nul", "bad \xff\xfe utf-8", "\xed\xa0\x80 surrogate", "a'; DROP TABLE entries; --", "$1 ? :x @y %s \\ \" `",
			"\r\nBcc: x", "日本語 🦆", strings.Repeat("unlike ", 1<<17), ""} {
			d := device(i)
			d.Name, d.Customer, d.ID, d.Fingerprint, d.NoHistory = text, text, text+"x", text, text
			s := session(text, 0, time.Minute)
			s.ID, s.Result, s.Source.Name = text, text, text
			sessions := []backup.Session{s}
			must(t, l.Record(t.Context(), d, sessions))
			sessions[0].Errors = []backup.Error{{Text: text, File: text, Count: 1}}
			e := entry(d, time.Minute, backup.Success)
			e.Run.Sessions, e.Run.Job = sessions, text
			name := text[:min(len(text), 1000)] // of what is not told by the product
			e.MessageID, e.Account = name, name
			commit(t, l, e)
			if len(take(t, l, 9)) != 1 {
				t.Fatalf("%.20q is not taken", text)
			}
			must(t, l.Sending(t.Context(), e.Run.ID, text))
			must(t, l.Retry(t.Context(), e.Run.ID, text, 0, true))
			take(t, l, 9)
			must(t, l.Sent(t.Context(), e.Run.ID, text))
			must(t, l.SetValue(t.Context(), name, text))
			if v, err := l.Value(t.Context(), name); err != nil || v != clean(text) {
				t.Errorf("%.20q: value %.20q, %v", text, v, err)
			}
			if _, found, err := l.Before(t.Context(), d.Key(), text, start.Add(time.Second)); !found || err != nil {
				t.Errorf("%.20q: session not found: %v", text, err)
			}
			if len(text) < 1000 {
				found, err := l.Entries(t.Context(), Query{Text: text, Account: text, Device: d.Key()})
				if err != nil || len(found) != 1 {
					t.Errorf("%q: %d found, %v", text, len(found), err)
				}
			}
			must(t, l.Record(t.Context(), d, []backup.Session{s})) // the same one again
			if all, err := l.Sessions(t.Context(), d.Key(), start); err != nil || len(all) != 1 && text != "" {
				t.Errorf("%.20q: %d sessions, %v", text, len(all), err)
			}
		}
	})
}
