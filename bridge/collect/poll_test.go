package collect_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/collect"
)

func TestOneMailForEachRun(t *testing.T) {
	w := newWorld(t, nil)
	w.device("1", "Files 01:00-01:30\nSystem 01:00-01:10 Failed\nFiles 05:00-05:20")
	w.until("01:30")
	w.want()
	w.until("01:45")
	w.want("Failed srv1")
	w.restart()
	w.until("02:00")
	w.want("Failed srv1")
	w.until("06:00")
	w.want("Failed srv1", "Success srv1")
	text := w.text(w.mails()[0])
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
	w.jump("100:00")
	w.want("Success srv1", "Failed srv1", "Success srv1", "Success srv1", "Warning srv1")
}

func TestFirstStartDoesNotFlood(t *testing.T) {
	w := newWorld(t, nil)
	w.device("1", "Files 00:10-00:20\nFiles 30:00-30:10\nFiles 47:50-48:10 Failed\nFiles 60:00-60:10 Warning")
	w.jump("72:00")
	w.want("Failed srv1", "Warning srv1")
	old := 0
	for _, e := range w.entries {
		if e.State == backup.EntryBaseline && strings.Contains(e.Reason, "poll.backfill") {
			old++
		}
	}
	if old == 0 {
		t.Error("what was not sent has to be on record")
	}
	// The run that ended within the window is whole, though it began before it.
	if id := w.mails()[0]; id != "acme-1-20261124T235000Z" {
		t.Error(id)
	}
}

// A device whose last session ended before the baseline costs no call.
func TestOldDeviceCostsNothing(t *testing.T) {
	w := newWorld(t, nil)
	w.device("1", "Files 00:10-00:20\nSystem 00:10-00:30\nFiles 101:00-101:10 Failed")
	w.jump("100:00")
	if w.asked["1"] != 0 || len(w.queued()) != 0 {
		t.Errorf("asked %d times, mails %q", w.asked["1"], w.mails())
	}
	w.until("102:00")
	w.want("Failed srv1")
}

// What ended since the very first poll is mailed, though for days no poll got
// as far as the devices.
func TestFirstPollsInVain(t *testing.T) {
	for _, outage := range []string{"unread", "down"} {
		w := newWorld(t, nil)
		w.device("1", "Files 01:00-01:30 Failed\nFiles 30:00-30:30")
		if outage == "down" {
			w.down = errors.New("HTTP 503")
		}
		w.unread = errors.New("cut off")
		if _, err := w.Poll(context.Background(), w.product, false, false); err == nil {
			t.Fatal("no error")
		}
		w.unread, w.down = nil, nil
		w.jump("72:00")
		w.want("Failed srv1", "Success srv1")
	}
}

func TestFallbackToStatisticsAndBack(t *testing.T) {
	w := newWorld(t, nil)
	w.skew = 90 * time.Second
	w.device("1", "Files 01:00-01:30\nFiles 02:00-02:30 Failed\nFiles 03:00-03:30\nFiles 04:00-04:30 Warning")
	w.until("00:30")
	w.noHistory = true
	w.jump("01:50")
	w.jump("03:55") // the failed one was missed
	w.want("Success srv1", "Success srv1")
	w.noHistory = false
	w.until("06:00")
	w.want("Success srv1", "Success srv1", "Failed srv1", "Warning srv1")
}

// A session that the history lists only once it ended, behind newer ones, holds
// back its own run, for statistics tell that it runs, and no other.
func TestLateSession(t *testing.T) {
	w := newWorld(t, nil)
	w.device("1", "Mail 01:00-04:00\nDrive 01:00-01:10\nDrive 03:00-03:10 Warning")
	w.late["1-0"] = true
	w.until("01:30")
	w.want()
	w.until("03:30")
	w.want("Warning srv1")
	w.until("05:00")
	w.want("Warning srv1", "Success srv1")
	if text := w.text(w.mails()[1]); !strings.Contains(text, "Mail") || !strings.Contains(text, "Drive") {
		t.Errorf("both belong into one mail:\n%s", text)
	}
}

func TestLongRunning(t *testing.T) {
	w := newWorld(t, nil)
	w.device("1", "Files 01:00-40:00")
	w.until("24:45")
	w.want()
	w.until("28:00")
	w.want("Warning srv1 overdue")
	w.until("41:00")
	w.want("Warning srv1 overdue", "Success srv1")
}

// The outbox is told of once for what was queued, and not for the rest.
func TestQueuedIsTold(t *testing.T) {
	told := 0
	w := newWorld(t, func(o *collect.Options) {
		o.OnQueued = func() { told++ }
		o.Filter.Statuses = []backup.Status{backup.Success}
	})
	w.device("1", "Files 01:00-01:30 Failed\nFiles 03:00-03:30")
	for _, step := range []struct {
		until string
		told  int
	}{{"02:00", 0}, {"04:00", 1}} {
		if w.until(step.until); told != step.told {
			t.Errorf("told %d times by %s, want %d", told, step.until, step.told)
		}
	}
}

func TestRunsInARow(t *testing.T) {
	w := newWorld(t, nil)
	w.device("1", "Files 01:00-01:10\nFiles 02:00-02:10 Failed\nFiles 04:00-04:10 Failed\nFiles 06:00-06:10 Failed\nFiles 08:00-08:10")
	w.until("08:30")
	for i, want := range []string{"Summary: Files succeeded.\n", "", "2nd run in a row without success, since 23 Nov 2026.", "3rd run in a row", "Summary: Files succeeded.\n"} {
		if text := w.text(w.mails()[i]); !strings.Contains(text, want) || want == "" && strings.Contains(text, "in a row") {
			t.Errorf("mail %d: no %q in\n%s", i, want, text)
		}
	}
	if text, want := w.text(w.mails()[3]), "Last success: Files, 23 Nov 2026, 01:10 (the same day)\n"; !strings.Contains(text, want) {
		t.Errorf("no %q in\n%s", want, text)
	}
}

func TestSelectionShrank(t *testing.T) {
	w := newWorld(t, nil)
	w.device("1", "Files 02:00-02:10\nFiles 04:00-04:10\nFiles 06:00-06:10")
	for i, size := range []int64{1000e6, 400e6, 0} {
		w.truth["1"][i].SelectedBytes = size
	}
	w.until("06:30")
	for i, part := range []string{"Selected:", "Files selects 60% less", "Files selects nothing"} {
		if text := w.text(w.mails()[i]); !strings.Contains(text, part) || !strings.Contains(text, "Status: Success") {
			t.Errorf("%q is not in\n%s", part, text)
		}
	}
}

// A customer that is renamed and a device that is moved keep their jobs.
func TestRenamedCustomer(t *testing.T) {
	w := newWorld(t, nil)
	w.device("1", "Files 01:00-01:30\nFiles 03:00-03:30")
	w.until("02:00")
	w.devices[0].Customer, w.devices[0].CustomerID = "Bolt Group NV", "77"
	w.until("04:00")
	w.want("Success srv1", "Success srv1")
	if text := w.text(w.mails()[1]); !strings.Contains(text, "Bolt Group NV") {
		t.Error(text)
	}
}

func TestErrorTextsThatCantBeHad(t *testing.T) {
	w := newWorld(t, nil)
	w.noErrors = true
	w.device("1", "Files 01:00-01:30 Failed")
	w.until("02:00") // waits for the texts
	w.want()
	w.until("02:15") // but not for long
	w.want("Failed srv1")
	if text := w.text(w.mails()[0]); !strings.Contains(text, "no error texts today") {
		t.Error(text)
	}
}

// A device that does not change costs no call and no statement.
func TestQuietFleetIsLeftAlone(t *testing.T) {
	w := newWorld(t, silence)
	w.device("1", "Files 01:00-01:30")
	w.device("2", "Files 01:00-01:30 Failed")
	w.until("03:00")
	asked, loads, commits := w.asked["1"], w.loads, w.commits
	w.until("20:00")
	if w.asked["1"] != asked || w.loads != loads || w.commits != commits {
		t.Errorf("%d calls, %d loads, %d commits", w.asked["1"]-asked, w.loads-loads, w.commits-commits)
	}
}

// The product gives one page and fails at the next, at each sweep: the polls in
// between find what is new behind it.
func TestFailingPage(t *testing.T) {
	w := newWorld(t, nil)
	for _, id := range []string{"1", "2", "3"} {
		w.device(id, "Files 00:01-00:02\nFiles 05:00-05:01 Failed\nFiles 09:00-09:01 Failed")
	}
	w.until("00:30")
	w.failing = func(sel backup.Selection, id string) bool { return sel.Since == 0 && id == "2" }
	failures := 0
	for range 40 {
		w.advanceBoth(30 * time.Minute)
		if _, err := w.Poll(context.Background(), w.product, false, false); err != nil {
			failures++
		}
	}
	if n := len(w.queued()); n != 9 || failures < 10 {
		t.Errorf("%d mails of 9; %d polls told of a failure", n, failures)
	}
}
