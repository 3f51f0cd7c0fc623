package status_test

import (
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/finding"
	"covebridge/bridge/ledger"
	"covebridge/bridge/status"
)

// before is so long before now.
func before(d time.Duration) time.Time { return now.Add(-d) }

// opened opens the ledger file once more, as another bridge does; clock is its.
func opened(t *testing.T, path string, clock *time.Time) *ledger.Ledger {
	t.Helper()
	l, err := ledger.Open(t.Context(), ledger.Options{SQLite: path, Now: func() time.Time { return *clock }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// told is a ledger to which bridges told how they are, the first a minute ago,
// each of the others a minute before.
func told(t *testing.T, reports ...status.Report) (first *ledger.Ledger) {
	t.Helper()
	path, clock := filepath.Join(t.TempDir(), "ledger.db"), now
	first = opened(t, path, &clock)
	l := first
	for i, r := range reports {
		if i > 0 {
			l = opened(t, path, &clock)
		}
		clock = before(time.Duration(i+1) * time.Minute)
		if err := status.Publish(t.Context(), l, r); err != nil {
			t.Fatal(err)
		}
	}
	return first
}

func readAs(t *testing.T, l *ledger.Ledger, own *status.Report) status.Status {
	t.Helper()
	s, err := status.ReadAs(t.Context(), l, now, time.UTC, own)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func named(name string, alive bool) status.Bridge {
	b := status.Bridge{Name: name}
	if alive {
		b.Until = now.Add(time.Minute)
	}
	return b
}

// What several bridges know of an account is put together: the last poll is
// whoever's was later, and the next is whoever's is sooner, of those that run.
func TestAccountsOfSeveralBridges(t *testing.T) {
	at := func(minutes int) time.Time { return now.Add(time.Duration(minutes) * time.Minute) }
	l := told(t,
		status.Report{Bridge: named("a", true), Accounts: []status.Account{
			{Name: "msp", LastPoll: at(-20), LastGood: at(-20), NextPoll: at(10), Error: "old", Unreadable: 7, UnreadableCause: "old"},
			{Name: "two", LastPoll: at(-3), LastGood: at(-1), NextPoll: at(1), Devices: 5},
			{Name: "one", LastPoll: at(-1), LastGood: at(-9), Devices: 3},
		}},
		status.Report{Bridge: named("b", true), Accounts: []status.Account{
			{Name: "msp", LastPoll: at(-10), LastGood: at(-30), NextPoll: at(5), Error: "no answer", Unreadable: 2, UnreadableCause: "denied", Devices: 40},
			{Name: "two", LastPoll: at(-2), LastGood: at(-2), NextPoll: at(2), Devices: 6},
		}},
		status.Report{Bridge: named("gone", false), Accounts: []status.Account{
			{Name: "msp", LastPoll: at(-40), LastGood: at(-15), NextPoll: at(1), Devices: 30},
			{Name: "two", LastPoll: at(-4), LastGood: at(-4), Devices: 7},
			{Name: "one", LastGood: at(-5), NextPoll: at(3), Error: "older"},
		}},
	)
	s := readAs(t, l, nil)
	want := []status.Account{
		{Name: "msp", LastPoll: at(-10), LastGood: at(-15), NextPoll: at(5), Error: "no answer", Unreadable: 2, UnreadableCause: "denied", Devices: 30},
		{Name: "two", LastPoll: at(-2), LastGood: at(-1), NextPoll: at(1), Devices: 5},
		{Name: "one", LastPoll: at(-1), LastGood: at(-5), Devices: 3},
	}
	if !reflect.DeepEqual(s.Accounts, want) {
		t.Errorf("got %+v\nwant %+v", s.Accounts, want)
	}
	for i, name := range []string{"a", "b", "gone"} {
		if b := s.Bridges[i]; b.Name != name || !b.Seen.Equal(at(-i-1)) {
			t.Errorf("bridge %d: %+v", i, b)
		}
	}
	if line := s.Line(); line != "38 devices, 0 mails wait" {
		t.Errorf("in a line: %q", line)
	}
}

// Findings are those of the bridges that run, each once, the worst first, and
// those that follow from the ledger, unless a bridge tells of them already.
func TestFindingsOfSeveralBridges(t *testing.T) {
	rain := finding.Finding{Name: "rain", Subject: "garden", Severity: finding.Warning, Since: before(time.Hour), What: "it rains", Why: "a cloud"}
	again, elsewhere, fire := rain, rain, rain
	again.Why, elsewhere.Subject, fire.Name, fire.Severity = "another cloud", "street", "fire", finding.Failed
	none := finding.Finding{Name: status.Filtered.Name, Why: "as told", Severity: finding.Failed, Since: before(2 * time.Hour)}
	given := finding.Finding{Name: finding.MailsGivenUp.Name, Why: "as told", Severity: finding.Failed}
	fog := finding.Finding{Name: "fog"}
	l := told(t,
		status.Report{Bridge: named("a", true), Findings: []finding.Finding{rain, none, given}},
		status.Report{Bridge: named("b", true), Findings: []finding.Finding{again, elsewhere, fire}},
		status.Report{Bridge: named("gone", false), Findings: []finding.Finding{fog}},
	)
	runs{{"a", backup.Success, time.Hour, backup.EntryFiltered, "filter.customers", 0}}.into(t, l)
	s := readAs(t, l, nil)
	want := []finding.Finding{none, fire, rain, elsewhere}
	if !reflect.DeepEqual(s.Findings, want) {
		t.Errorf("got %+v\nwant %+v", s.Findings, want)
	}
}

// What a bridge tells now goes before what it told the ledger, also where that
// can't be read: then nothing is said to follow from it.
func TestReadAs(t *testing.T) {
	l := told(t,
		status.Report{Bridge: named("as told", true), Accounts: []status.Account{{Name: "gone"}}},
		status.Report{Bridge: named("other", true)},
	)
	own := &status.Report{Bridge: named("now", true), Findings: []finding.Finding{{Name: "rain"}}}
	s := readAs(t, l, own)
	if len(s.Bridges) != 2 || s.Bridges[0].Name != "now" || !s.Bridges[0].Seen.Equal(now) || s.Bridges[1].Name != "other" || len(s.Accounts) != 0 {
		t.Errorf("got %+v, %+v", s.Bridges, s.Accounts)
	}
	l.Close()
	own.Bridge.Until = time.Time{}
	s, err := status.ReadAs(t.Context(), l, now, time.UTC, own)
	if err == nil || len(s.Bridges) != 1 || len(s.Findings) != 0 {
		t.Errorf("without the ledger: %+v, %+v, %v", s.Bridges, s.Findings, err)
	}
}
