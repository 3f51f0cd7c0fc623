package bridge_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"covebridge/bridge"
	"covebridge/bridge/backup"
	"covebridge/bridge/ledger"
)

func TestOneMailForEachRun(t *testing.T) {
	w := newWorld(t, nil)
	w.device("1", "Files 01:00-01:30\nSystem 01:00-01:10 Failed\nFiles 05:00-05:20")
	w.until("01:15")
	w.want()
	w.until("01:41")
	w.want("[Acme] Failed: srv1 (Bolt BV)")
	w.until("01:50")
	w.restart()
	w.until("02:00")
	w.want("[Acme] Failed: srv1 (Bolt BV)")
	w.until("06:00")
	w.want("[Acme] Failed: srv1 (Bolt BV)", "[Acme] Success: srv1 (Bolt BV)")
	text := w.texts[w.mails[0]]
	for _, part := range []string{"Backup software: Acme Backup", "disk on fire in 1-1", "Job name: srv1"} {
		if !strings.Contains(text, part) {
			t.Errorf("%q is not in the mail:\n%s", part, text)
		}
	}
	if strings.Contains(text, "Cove") {
		t.Errorf("the mail of another product speaks of Cove:\n%s", text)
	}
}

// Runs between two polls, however many, are all found in the history.
func TestRunsBetweenPolls(t *testing.T) {
	w := newWorld(t, nil)
	w.device("1", "Files 01:00-01:01\nFiles 01:20-01:21 Failed\nFiles 01:40-01:41\nFiles 30:00-30:01\nFiles 90:00-90:01 Warning")
	w.until("00:30")
	w.until("100:00")
	w.want("[Acme] Success: srv1 (Bolt BV)", "[Acme] Failed: srv1 (Bolt BV)", "[Acme] Success: srv1 (Bolt BV)", "[Acme] Success: srv1 (Bolt BV)", "[Acme] Warning: srv1 (Bolt BV)")
}

func TestFirstStartDoesNotFlood(t *testing.T) {
	w := newWorld(t, nil)
	w.device("1", "Files 00:10-00:20\nFiles 20:00-20:10\nFiles 47:50-48:10 Failed\nFiles 60:00-60:10 Warning")
	w.until("72:00")
	w.want("[Acme] Failed: srv1 (Bolt BV)", "[Acme] Warning: srv1 (Bolt BV)")
	old, err := w.Ledger.Entries(context.Background(), ledger.Query{State: ledger.Baseline})
	if err != nil || len(old) == 0 {
		t.Errorf("what was not sent has to be on record: %v %v", old, err)
	}
	// The run that ended within the window is whole, though it began before it.
	if !strings.Contains(w.texts[w.mails[0]], "acme-1-20261124T235000Z") {
		t.Error(w.texts[w.mails[0]])
	}
}

// What ended since the very first poll is mailed, though for days no poll got
// as far as the devices.
func TestFirstPollsInVain(t *testing.T) {
	w := newWorld(t, nil)
	w.device("1", "Files 01:00-01:30 Failed\nFiles 30:00-30:30")
	w.unread = errors.New("cut off")
	if _, err := w.Once(context.Background()); err == nil {
		t.Fatal("no error")
	}
	w.unread = nil
	w.until("72:00")
	w.want("[Acme] Failed: srv1 (Bolt BV)", "[Acme] Success: srv1 (Bolt BV)")
}

func TestBackfill(t *testing.T) {
	w := newWorld(t, nil)
	w.device("1", "Files 00:10-00:20\nFiles 20:00-20:10 Failed\nFiles 71:00-71:10")
	w.device("2", "Files 20:00-20:10 Warning")
	w.until("72:00")
	w.want("[Acme] Success: srv1 (Bolt BV)")
	span := bridge.Span{Since: w.at("10:00"), Until: w.at("60:00"), DryRun: true}
	told := 0
	backfill := func() int {
		t.Helper()
		n, err := w.Backfill(context.Background(), span, func(bridge.Progress) { told++ })
		if err != nil {
			t.Fatal(err)
		}
		w.Drain(context.Background())
		return n
	}
	if n := backfill(); n != 2 {
		t.Errorf("%d would be sent, want 2", n)
	}
	w.want("[Acme] Success: srv1 (Bolt BV)")
	span.DryRun = false
	if n := backfill(); n != 2 || told != 4 {
		t.Errorf("%d were sent, want 2; told %d times, want 4", n, told)
	}
	slices.Sort(w.mails) // two devices' mails go side by side
	w.want("[Acme] Failed: srv1 (Bolt BV)", "[Acme] Success: srv1 (Bolt BV)", "[Acme] Warning: srv2 (Bolt BV)")
	span.Until = time.Time{}
	if n := backfill(); n != 0 {
		t.Errorf("%d were sent by the second backfill", n)
	}
	if !strings.Contains(w.texts["acme-1-20261123T200000Z@covebridge"], "disk on fire in 1-1") {
		t.Errorf("no error texts in %v", w.texts)
	}
}

func TestFallbackToStatisticsAndBack(t *testing.T) {
	w := newWorld(t, nil)
	w.skew = 90 * time.Second
	w.device("1", "Files 01:00-01:30\nFiles 02:00-02:30 Failed\nFiles 03:00-03:30\nFiles 04:00-04:30 Warning")
	w.until("00:30")
	w.noHistory = true
	w.until("01:50")
	w.until("03:55") // the failed one was missed
	w.want("[Acme] Success: srv1 (Bolt BV)", "[Acme] Success: srv1 (Bolt BV)")
	w.noHistory = false
	w.until("05:00")
	w.want("[Acme] Success: srv1 (Bolt BV)", "[Acme] Success: srv1 (Bolt BV)", "[Acme] Failed: srv1 (Bolt BV)", "[Acme] Warning: srv1 (Bolt BV)")
}

// A session that the history lists only once it ended, behind newer ones, holds
// back its own run, for statistics tell that it runs, and no other.
func TestLateSession(t *testing.T) {
	w := newWorld(t, nil)
	w.device("1", "Mail 01:00-04:00\nDrive 01:00-01:10\nDrive 03:00-03:10 Warning")
	w.late["1-0"] = true
	w.until("00:30")
	w.until("01:30")
	w.want()
	w.until("03:30")
	w.want("[Acme] Warning: srv1 (Bolt BV)")
	w.until("05:00")
	w.want("[Acme] Warning: srv1 (Bolt BV)", "[Acme] Success: srv1 (Bolt BV)")
	if text := w.texts[w.mails[1]]; !strings.Contains(text, "Mail") || !strings.Contains(text, "Drive") {
		t.Errorf("both belong into one mail:\n%s", text)
	}
}

func TestLongRunning(t *testing.T) {
	w := newWorld(t, nil)
	w.device("1", "Files 01:00-40:00")
	w.until("00:30")
	w.until("20:00")
	w.want()
	w.until("26:00")
	w.until("27:00")
	w.want("[Acme] Warning: srv1 (Bolt BV)")
	w.until("41:00")
	w.want("[Acme] Warning: srv1 (Bolt BV)", "[Acme] Success: srv1 (Bolt BV)")
}

func TestSilence(t *testing.T) {
	w := newWorld(t, func(o *bridge.Options) { o.Silence = map[string]time.Duration{backup.Server: 48 * time.Hour} })
	w.device("1", "Files 01:00-01:30\nFiles 200:00-200:30")
	w.until("02:00")
	w.until("49:00")
	w.want("[Acme] Success: srv1 (Bolt BV)")
	w.until("50:00")
	w.until("70:00")
	w.want("[Acme] Success: srv1 (Bolt BV)", "[Acme] Warning: srv1 (Bolt BV)")
	w.until("150:00")
	w.until("160:00")
	w.want("[Acme] Success: srv1 (Bolt BV)", "[Acme] Warning: srv1 (Bolt BV)", "[Acme] Failed: srv1 (Bolt BV)")
	w.until("201:00") // it speaks again
	w.until("250:00") // and falls silent again
	w.want("[Acme] Success: srv1 (Bolt BV)", "[Acme] Warning: srv1 (Bolt BV)", "[Acme] Failed: srv1 (Bolt BV)", "[Acme] Success: srv1 (Bolt BV)", "[Acme] Warning: srv1 (Bolt BV)")
}

func TestFilters(t *testing.T) {
	w := newWorld(t, func(o *bridge.Options) {
		o.Filter = bridge.Filter{
			Devices:     bridge.Globs{Exclude: []string{"SRV2"}},
			DataSources: bridge.Globs{Exclude: []string{"Sys*"}},
			Statuses:    []backup.Status{backup.Failed, backup.Warning},
		}
	})
	w.device("1", "Files 01:00-01:30 Warning\nSystem 01:00-01:10 Failed\nFiles 05:00-05:10")
	w.device("2", "Files 01:00-01:30 Failed")
	w.until("00:30")
	w.until("06:00")
	w.want("[Acme] Warning: srv1 (Bolt BV)")
	filtered, err := w.Ledger.Entries(context.Background(), ledger.Query{State: ledger.Filtered})
	if err != nil {
		t.Fatal(err)
	}
	var rules []string
	for _, e := range filtered {
		rules = append(rules, e.Reason)
	}
	slices.Sort(rules)
	want := []string{`filter.data_sources exclude "Sys*"`, `filter.devices exclude "SRV2"`, "filter.statuses without Success"}
	if !slices.Equal(rules, want) {
		t.Errorf("got %q, want %q", rules, want)
	}
}

func TestAttempts(t *testing.T) {
	w := newWorld(t, nil)
	w.device("1", "Files 02:00-02:10 Failed\nFiles 04:00-04:10 Failed\nFiles 06:00-06:10")
	for _, clock := range []string{"00:30", "02:30", "04:30", "06:30"} {
		w.until(clock)
	}
	text := w.texts[w.mails[2]]
	if !strings.Contains(text, "Attempt 3; earlier: 02:00 Failed, 04:00 Failed") {
		t.Error(text)
	}
}

func TestSelectionShrank(t *testing.T) {
	w := newWorld(t, nil)
	w.device("1", "Files 02:00-02:10\nFiles 04:00-04:10\nFiles 06:00-06:10")
	for i, size := range []int64{1000e6, 400e6, 0} {
		w.truth["1"][i].SelectedBytes = size
	}
	for _, clock := range []string{"00:30", "02:30", "04:30", "06:30"} {
		w.until(clock)
	}
	for i, part := range []string{"Selected:", "Files selects 60% less", "Files selects nothing"} {
		if text := w.texts[w.mails[i]]; !strings.Contains(text, part) || !strings.Contains(text, "Status: Success") {
			t.Errorf("%q is not in\n%s", part, text)
		}
	}
}

// One account's outage delays no other, and a device that two accounts see is
// mailed once.
func TestTwoAccounts(t *testing.T) {
	second := &product{name: "second", now: epoch, truth: map[string][]backup.Session{}, asked: map[string]int64{}}
	w := newWorld(t, func(o *bridge.Options) { o.Sources = append(o.Sources, second) })
	d := w.device("1", "Files 01:00-01:30")
	second.devices = []backup.Device{d, {Product: "acme", Software: "Acme Backup", ID: "9", Name: "only", Type: backup.Server}}
	second.truth["1"] = w.truth["1"]
	second.truth["9"] = []backup.Session{{ID: "x", Source: backup.DataSource{Key: "Files", Name: "Files"}, State: backup.Ended, Start: w.at("01:00"), End: w.at("01:05")}}
	second.advance(2 * time.Hour)
	w.until("02:00")
	got := w.subjects()
	slices.Sort(got)
	if want := []string{"[Acme] Success: only", "[Acme] Success: srv1 (Bolt BV)"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	w.down = errors.New("acme is out")
	second.truth["9"] = append(second.truth["9"], backup.Session{ID: "y", Source: backup.DataSource{Key: "Files", Name: "Files"}, State: backup.Ended, Start: w.at("03:00"), End: w.at("03:05")})
	second.advance(2 * time.Hour)
	if _, err := w.Once(context.Background()); err == nil || !strings.Contains(err.Error(), "acme is out") {
		t.Errorf("got %v", err)
	}
	if len(w.mails) != 3 {
		t.Errorf("mails %q", w.subjects())
	}
}

// A customer that is renamed and a device that is moved keep their jobs.
func TestRenamedCustomer(t *testing.T) {
	w := newWorld(t, nil)
	w.device("1", "Files 01:00-01:30\nFiles 03:00-03:30")
	w.until("02:00")
	w.devices[0].Customer, w.devices[0].CustomerID = "Bolt Group NV", "77"
	w.until("04:00")
	w.want("[Acme] Success: srv1 (Bolt BV)", "[Acme] Success: srv1 (Bolt Group NV)")
	for _, id := range w.mails {
		if !strings.Contains(w.texts[id], "Job name: srv1\n") {
			t.Error(w.texts[id])
		}
	}
}

func TestErrorTextsThatCantBeHad(t *testing.T) {
	w := newWorld(t, nil)
	w.noErrors = true
	w.device("1", "Files 01:00-01:30 Failed")
	w.until("00:30")
	w.until("01:45") // waits for the texts
	w.want()
	w.until("02:05") // but not for long
	w.want("[Acme] Failed: srv1 (Bolt BV)")
	if !strings.Contains(w.texts[w.mails[0]], "no error texts today") {
		t.Error(w.texts[w.mails[0]])
	}
}

func TestQuietFleetIsLeftAlone(t *testing.T) {
	w := newWorld(t, nil)
	w.device("1", "Files 01:00-01:30")
	w.until("02:00")
	asked := w.asked["1"]
	w.until("03:00")
	w.until("09:00")
	if w.asked["1"] != asked {
		t.Errorf("the history of a device without news was asked for %d times", w.asked["1"]-asked)
	}
}
