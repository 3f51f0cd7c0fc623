package status_test

import (
	"strings"
	"testing"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/finding"
	"covebridge/bridge/ledger"
	"covebridge/bridge/status"
)

// runs are whole runs that ended so long ago.
type runs []struct {
	id     string
	status backup.Status
	ago    time.Duration
	state  backup.EntryState
	reason string
	sent   time.Duration // of EntrySent: ago
}

// into puts them into the ledger, each of a device of its own.
func (rs runs) into(t *testing.T, l *ledger.Ledger) {
	t.Helper()
	for _, r := range rs {
		d := backup.Device{Product: "cove", ID: r.id, Name: r.id}
		e := backup.Entry{Run: backup.Run{ID: r.id, Kind: backup.Whole, Device: d, Status: r.status, End: before(r.ago)},
			State: r.state, Reason: r.reason, MessageID: r.id, Mail: []byte("mail")}
		if r.state == backup.EntrySent {
			e.State = backup.EntryQueued
		}
		s := backup.Step{Key: d.Key(), Entries: []backup.Entry{e}}
		s.Record.Journal.Device = d
		if stale, err := l.Commit(t.Context(), []backup.Step{s}); err != nil || stale != nil {
			t.Fatal(stale, err)
		}
	}
}

// tallied is the status of a ledger with these runs, some of which were sent.
func tallied(t *testing.T, zone *time.Location, rs runs) status.Status {
	t.Helper()
	clock := before(8 * 24 * time.Hour)
	l := opened(t, t.TempDir()+"/ledger.db", &clock)
	if err := l.Hold(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, r := range rs {
		clock = before(max(r.ago-time.Minute, 0))
		runs{r}.into(t, l)
		if r.state != backup.EntrySent {
			continue
		}
		clock = before(r.sent)
		if taken, err := l.Take(t.Context(), 1); err != nil || len(taken) != 1 || taken[0].Run.ID != r.id {
			t.Fatal(taken, err)
		}
		if err := l.Record(t.Context(), []backup.Outcome{{ID: r.id, State: backup.EntrySent}}); err != nil {
			t.Fatal(err)
		}
	}
	s, err := status.Read(t.Context(), l, now, zone)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Today begins at midnight in the zone; the lag is that of a day, and recent is
// what was sent within an hour.
func TestTallies(t *testing.T) {
	const hour = time.Hour
	rs := runs{
		{"yesterday", backup.Success, 30 * hour, backup.EntrySent, "", 29 * hour},
		{"night", backup.Warning, 13 * hour, backup.EntrySent, "", 8 * hour},
		{"early", backup.Failed, 11 * hour, backup.EntrySent, "", 10 * hour},
		{"ahead", backup.Success, 3 * hour, backup.EntrySent, "", 4 * hour}, // its device's clock is
		{"late", backup.Success, hour, backup.EntrySent, "", 10 * time.Minute},
		{"waits", backup.Success, hour / 2, backup.EntryQueued, "", 0},
	}
	s := tallied(t, time.UTC, rs)
	if s.Today[backup.Success] != 3 || s.Today[backup.Warning] != 0 || s.Today[backup.Failed] != 1 {
		t.Errorf("today: %v", s.Today)
	}
	if want := (status.Lag{Runs: 4, Median: hour, Worst: 5 * hour, Recent: 50 * time.Minute}); s.Lag != want {
		t.Errorf("lag %+v, want %+v", s.Lag, want)
	}
	if s := tallied(t, time.UTC, rs[3:4]); s.Lag != (status.Lag{Runs: 1}) {
		t.Errorf("lag of one that ends later than it was sent: %+v", s.Lag)
	}
	if s := tallied(t, time.FixedZone("", 2*3600), rs); s.Today[backup.Warning] != 1 {
		t.Errorf("today, two hours further east: %v", s.Today)
	}
}

// On the day that clocks are put back, today is longer than a day.
func TestLongDay(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		t.Fatal(err)
	}
	first, last := time.Date(2026, 10, 25, 0, 10, 0, 0, zone), time.Date(2026, 10, 25, 23, 50, 0, 0, zone)
	l := opened(t, t.TempDir()+"/ledger.db", &first)
	runs{{"first", backup.Failed, now.Sub(first), backup.EntryBaseline, "", 0}}.into(t, l)
	s, err := status.Read(t.Context(), l, last, zone)
	if err != nil || s.Today[backup.Failed] != 1 {
		t.Errorf("today: %v, %v", s.Today, err)
	}
}

// That no run passes the filters is told where every run of a day was stopped,
// and for another thing than its status.
func TestNothingPasses(t *testing.T) {
	stopped := func(id, rule string) runs {
		return runs{{id, backup.Success, time.Hour, backup.EntryFiltered, rule, 0}}
	}
	queued := runs{{"q", backup.Success, time.Hour, backup.EntryQueued, "", 0}}
	baseline := runs{{"b", backup.Success, time.Hour, backup.EntryBaseline, "", 0}}
	old := runs{{"o", backup.Success, 25 * time.Hour, backup.EntryFiltered, "filter.devices", 0}}
	for _, c := range []struct {
		name string
		runs runs
		why  string // empty: it is none
	}{
		{"no run at all", nil, ""},
		{"all", append(stopped("1", "filter.customers"), stopped("2", "filter.customers")...), "all 2 that ended within a day were stopped, by filter.customers"},
		{"all but what was over before", append(stopped("1", "filter.customers"), baseline...), "all 1 that ended within a day were stopped, by filter.customers"},
		{"only what was over before", baseline, ""},
		{"one passes", append(stopped("1", "filter.customers"), queued...), ""},
		{"a good day", stopped("1", "filter.statuses"), ""},
		{"one for its status", append(stopped("1", "filter.customers"), stopped("2", "filter.statuses")...), ""},
		{"two days ago", old, ""},
	} {
		f := found(tallied(t, time.UTC, c.runs), status.Filtered)
		if f.Why != c.why || (f.Remedy == "") != (c.why == "") {
			t.Errorf("%s: got %+v", c.name, f)
		}
	}
}

// Mails that were given up are told of for a week, from the first of them on.
func TestGivenUp(t *testing.T) {
	const day = 24 * time.Hour
	s := tallied(t, time.UTC, runs{
		{"ancient", backup.Failed, 7*day + time.Hour, backup.EntryFailed, "too old", 0},
		{"first", backup.Failed, 6 * day, backup.EntryFailed, "no", 0},
		{"newest", backup.Failed, 2 * day, backup.EntryFailed, "never", 0},
	})
	if f := found(s, finding.MailsGivenUp); f.Why != "2 within a week; the newest: never" || !f.Since.Equal(before(6*day-time.Minute)) || f.Remedy == "" {
		t.Errorf("got %+v", f)
	}
}

// Mails that have waited for an hour are told of from then on.
func TestStuck(t *testing.T) {
	for _, c := range []struct {
		runs runs
		why  string
	}{
		{nil, ""},
		{runs{{"a", backup.Success, time.Hour, backup.EntryQueued, "", 0}}, ""},
		{runs{{"a", backup.Success, 3*time.Hour + time.Minute, backup.EntryQueued, "", 0}, {"b", backup.Success, time.Hour, backup.EntryQueued, "", 0}}, "2 wait, the oldest for 3h0m0s"},
	} {
		f := found(tallied(t, time.UTC, c.runs), status.Stuck)
		if f.Why != c.why || c.why != "" && !f.Since.Equal(before(2*time.Hour)) {
			t.Errorf("got %+v, want %q", f, c.why)
		}
	}
}

// That no bridge runs is told with the reason, as far as it is known.
func TestNotRunning(t *testing.T) {
	silent := named("a", false)
	silent.Until = before(time.Second)
	for _, c := range []struct {
		name    string
		reports []status.Report
		why     string // empty: one runs
		since   time.Time
		remedy  bool // beyond how to start it
	}{
		{"none yet", nil, "none has run on this ledger yet", now, false},
		{"ended", []status.Report{{Bridge: named("a", false)}, {Bridge: named("b", false)}}, "a has ended", before(time.Minute), false},
		{"silent", []status.Report{{Bridge: silent}}, "a is not heard of any more", before(time.Minute), true},
		{"another runs", []status.Report{{Bridge: silent}, {Bridge: named("b", true)}}, "", time.Time{}, false},
	} {
		f := found(readAs(t, told(t, c.reports...), nil), status.NotRunning)
		if f.Why != c.why || !f.Since.Equal(c.since) || strings.Contains(f.Remedy, "can't write the ledger") != c.remedy {
			t.Errorf("%s: got %+v", c.name, f)
		}
	}
}

// found is the finding of this kind; zero: there is none.
func found(s status.Status, k finding.Kind) finding.Finding {
	for _, f := range s.Findings {
		if f.Name == k.Name {
			return f
		}
	}
	return finding.Finding{}
}

// In a line, the worst finding stands first, then how many others there are.
func TestLine(t *testing.T) {
	rain, fog := finding.Finding{Severity: finding.Failed, What: "it rains"}, finding.Finding{What: "fog"}
	for want, s := range map[string]status.Status{
		"0 devices, 0 mails wait":                                               {},
		"Failed: it rains; 12 devices, 3 mails wait":                            {Findings: []finding.Finding{rain}, Accounts: []status.Account{{Devices: 5}, {Devices: 7}}, Backlog: status.Backlog{Mails: 3}},
		"Failed: it rains; 1 more (covebridge status); 0 devices, 0 mails wait": {Findings: []finding.Finding{rain, fog}},
	} {
		if got := s.Line(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// The day is that of the location: in the far east it is tomorrow already.
func TestMidnight(t *testing.T) {
	for hours, want := range map[int]time.Time{
		0: now.Add(-12 * time.Hour), 11: now.Add(-23 * time.Hour), 13: now.Add(-time.Hour), -12: now, -11: now.Add(-time.Hour),
	} {
		if got := status.Midnight(now, time.FixedZone("", hours*3600)); !got.Equal(want) {
			t.Errorf("%d hours east: %v, want %v", hours, got, want)
		}
	}
}

// A span is told as people do.
func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 40*time.Second + 400*time.Millisecond: "40s", 3 * time.Minute: "3m", 2*time.Hour + 5*time.Minute + 20*time.Second: "2h5m",
		71 * time.Hour: "71h0m", 72 * time.Hour: "3 days", 95 * time.Hour: "3 days",
	} {
		if got := status.Span(d); got != want {
			t.Errorf("%v: got %q, want %q", d, got, want)
		}
	}
}
