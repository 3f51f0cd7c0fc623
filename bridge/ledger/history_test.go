package ledger

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"covebridge/bridge/backup"
)

func TestEntries(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		l := p.open(t)
		a, b, c := entry(device(1), time.Hour, backup.Success), entry(device(1), 2*time.Hour, backup.Failed), entry(device(2), 3*time.Hour, backup.Warning)
		b.State, b.Reason, b.Mail = Filtered, "statuses", nil
		c.Account, c.Run.Device.Customer = "other", "Büro 100% Ä_B"
		c.Run.Kind = backup.Silence
		commit(t, l, a, b, c)
		for _, test := range []struct {
			name string
			q    Query
			want []Entry
		}{
			{"all", Query{}, []Entry{c, b, a}},
			{"two", Query{Limit: 2}, []Entry{c, b}},
			{"device", Query{Device: "cove-1"}, []Entry{b, a}},
			{"account", Query{Account: "other"}, []Entry{c}},
			{"state", Query{State: Filtered}, []Entry{b}},
			{"kind", Query{Kind: backup.Silence}, []Entry{c}},
			{"since", Query{Since: start.Add(2 * time.Hour)}, []Entry{c, b}},
			{"until", Query{Until: start.Add(2 * time.Hour)}, []Entry{a}},
			{"name", Query{Text: "SRV01"}, []Entry{b, a}},
			{"umlaut", Query{Text: "BÜRO"}, []Entry{c}},
			{"wildcards are none", Query{Text: "v0%"}, nil},
			{"wildcards", Query{Text: "% ä_"}, []Entry{c}},
			{"both", Query{Text: "srv01", State: Queued}, []Entry{a}},
		} {
			found, err := l.Entries(t.Context(), test.q)
			must(t, err)
			var got, want []string
			for _, e := range found {
				got = append(got, e.Run.ID)
				if e.Mail != nil {
					t.Error("lists read mails")
				}
			}
			for _, e := range test.want {
				want = append(want, e.Run.ID)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: %s", test.name, diff)
			}
		}
	})
}

func TestFind(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		l := p.open(t)
		commit(t, l, entry(device(1), time.Hour, backup.Success), entry(device(12), time.Hour, backup.Success))
		id := entry(device(1), time.Hour, backup.Success).Run.ID
		for _, name := range []string{id, "cove-1-", id + "@covebridge", "<" + id + "@covebridge>"} {
			if e := get(t, l, name); e.Run.ID != id {
				t.Errorf("%s: found %s", name, e.Run.ID)
			}
		}
		for name, want := range map[string]error{"cove-1": ErrAmbiguous, "cove-3": ErrUnknown, "": ErrUnknown, "%": ErrUnknown, "<>": ErrUnknown} {
			if _, _, err := l.Entry(t.Context(), name); !errors.Is(err, want) {
				t.Errorf("%q: %v", name, err)
			}
		}
	})
}

func TestResend(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		l := p.open(t)
		refused, later := entry(device(1), time.Hour, backup.Success), entry(device(1), 2*time.Hour, backup.Success)
		commit(t, l, refused, later)
		id := refused.Run.ID
		take(t, l, 1)
		must(t, l.Retry(t.Context(), id, "later", time.Hour, false))
		if ids := take(t, l, 1); len(ids) != 0 {
			t.Errorf("took %v before its time", ids)
		}
		must(t, l.Resend(t.Context(), refused)) // due at once
		if ids := take(t, l, 1); len(ids) != 1 || ids[0] != id {
			t.Errorf("took %v", ids)
		}
		must(t, l.Sending(t.Context(), id, "1:1"))
		if err := l.Resend(t.Context(), refused); !errors.Is(err, ErrWaiting) {
			t.Errorf("sending: %v", err)
		}
		must(t, l.Refused(t.Context(), id, "550 no such mailbox"))
		if e := get(t, l, id); e.State != Failed || e.Reason != "550 no such mailbox" || e.Attempts != 1 {
			t.Errorf("refused: %+v", e)
		}
		if ids := take(t, l, 1); len(ids) != 1 || ids[0] != later.Run.ID { // a refused mail holds up nothing
			t.Errorf("took %v", ids)
		}
		must(t, l.Sent(t.Context(), later.Run.ID, "x"))

		must(t, l.Resend(t.Context(), refused))
		taken, err := l.Take(t.Context(), 1)
		must(t, err)
		if len(taken) != 1 || taken[0].Attempts != 0 || taken[0].Doubt || taken[0].Reason != "" || string(taken[0].Mail) != string(refused.Mail) {
			t.Errorf("took %+v", taken)
		}
		must(t, l.Sent(t.Context(), id, "1"))
		refused.MessageID, refused.Mail, refused.Doubt = "new@covebridge", []byte("new"), true
		must(t, l.Resend(t.Context(), refused))
		if e := get(t, l, id); e.MessageID != "new@covebridge" || string(e.Mail) != "new" || !e.Doubt || e.Receipt != "" {
			t.Errorf("resent: %+v", e)
		}

		filtered := entry(device(2), time.Hour, backup.Success)
		filtered.State, filtered.Reason, filtered.Mail = Filtered, "types", nil
		commit(t, l, filtered)
		if err := l.Resend(t.Context(), filtered); !errors.Is(err, ErrNoMail) {
			t.Errorf("no mail: %v", err)
		}
		filtered.Mail = []byte("rendered")
		must(t, l.Resend(t.Context(), filtered))
		if err := l.Resend(t.Context(), entry(device(3), time.Hour, backup.Success)); !errors.Is(err, ErrUnknown) {
			t.Errorf("unknown: %v", err)
		}
	})
}

// TestClockJumps: what was to wait until a far future, as it was told by a wrong
// clock, does not wait.
func TestClockJumps(t *testing.T) {
	p := sqlitePlace(t)
	l := p.open(t)
	a, b := entry(device(1), time.Hour, backup.Success), entry(device(2), 2*time.Hour, backup.Success)
	commit(t, l, a, b)
	take(t, l, 9)
	must(t, l.Retry(t.Context(), a.Run.ID, "x", time.Minute, false))
	must(t, l.Retry(t.Context(), b.Run.ID, "x", 24*time.Hour, false)) // not longer than MaxBackoff
	due := func(wantWait time.Duration, want ...string) {
		t.Helper()
		wait, some, err := l.Due(t.Context())
		if err != nil || !some || wait != wantWait {
			t.Errorf("due in %s, %v, %v; want %s", wait, some, err, wantWait)
		}
		got := take(t, l, 9)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		must(t, l.Release(t.Context()))
	}
	due(time.Minute)
	p.clock.Add(time.Minute)
	due(0, a.Run.ID)
	p.clock.Add(MaxBackoff)
	due(0, a.Run.ID, b.Run.ID)
	p.clock.Add(-48 * time.Hour)
	due(0, a.Run.ID, b.Run.ID)
}

func TestPrune(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		l := p.open(t)
		l.dialect.clock, l.now = "", p.clock.Now
		d := device(1)
		sessions := []backup.Session{session("D01", 0, time.Minute), session("D01", time.Hour, time.Minute), session("D10", 0, time.Minute),
			session("D01", 48*time.Hour, time.Minute), session("D01", 30*time.Minute, time.Minute)}
		must(t, l.Record(t.Context(), d, sessions))
		old, waits, failed := entry(d, time.Hour, backup.Success), entry(d, 2*time.Hour, backup.Success), entry(device(2), time.Hour, backup.Success)
		old.Run.Sessions, waits.Run.Sessions = []backup.Session{sessions[0], sessions[2], sessions[3]}, sessions[1:2]
		commit(t, l, old, waits, failed)
		take(t, l, 9)
		must(t, l.Sent(t.Context(), old.Run.ID, "x"))
		must(t, l.Refused(t.Context(), failed.Run.ID, "no"))

		p.clock.Add(24 * time.Hour)
		recent := entry(device(3), time.Hour, backup.Success)
		commit(t, l, recent)
		must(t, l.Sent(t.Context(), recent.Run.ID, "x"))
		must(t, l.Prune(t.Context(), start.Add(12*time.Hour)))

		for _, test := range []struct {
			e      Entry
			mail   bool
			events int
		}{{old, false, 0}, {waits, true, 1}, {failed, true, 2}, {recent, true, 2}} {
			e, events, err := l.Entry(t.Context(), test.e.Run.ID)
			must(t, err)
			if (e.Mail != nil) != test.mail || len(events) != test.events || e.Run.Job != test.e.Run.Job {
				t.Errorf("%s: %d bytes of mail, events %v", e.Run.ID, len(e.Mail), events)
			}
		}
		all, err := l.Sessions(t.Context(), d.Key(), start)
		must(t, err)
		var kept []string
		for _, s := range all {
			kept = append(kept, s.ID)
		}
		// D01 at 0 and 1 h are in runs and not the newest; D10 is the newest of its
		// kind, D01 at 30 min is open, D01 at 48 h is recent.
		if got := strings.Join(kept, " "); got != "D100s D0130m0s D0148h0m0s" {
			t.Errorf("kept %s", got)
		}
		// What was dropped does not come back as something new.
		again := []backup.Session{sessions[0]}
		again[0].Row = 0
		must(t, l.Record(t.Context(), d, again))
		if again[0].Row <= 5 {
			t.Errorf("row %d was given twice", again[0].Row)
		}
		old.Run.Sessions = again
		if n, err := l.Commit(t.Context(), old); n != 0 || err != nil {
			t.Errorf("Commit of what was sent: %d, %v", n, err)
		}
		if got := get(t, l, old.Run.ID); got.State != Sent {
			t.Errorf("state %s", got.State)
		}
	})
}
