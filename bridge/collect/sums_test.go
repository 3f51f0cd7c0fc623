package collect_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/collect"
)

// A poll tells what it came to, and how far it is.
func TestPolled(t *testing.T) {
	var mu sync.Mutex
	var last collect.Progress
	w := newWorld(t, func(o *collect.Options) {
		o.OnProgress = func(p collect.Progress) {
			mu.Lock()
			defer mu.Unlock()
			last = p
		}
	})
	w.device("1", "Files 01:00-01:30")
	w.device("2", "Files 01:00-01:30 Failed")
	w.noHistory = true
	if p := w.jump("01:00"); !p.Sweep || p.Devices != 2 || p.LookedAt != 2 || p.Queued != 0 || p.HistoryLost != 2 || p.HistoryRegained != 0 || !strings.Contains(p.Cause.Error(), "node of") {
		t.Errorf("got %+v", p)
	}
	if want := (collect.Progress{Account: "acme", Done: 2, Total: 2}); last != want {
		t.Errorf("told %+v", last)
	}
	if p := w.poll(); p.Sweep || w.reads[len(w.reads)-1].Since == 0 { // at the same moment
		t.Errorf("all devices were read again: %+v", p)
	}
	if p := w.jump("01:45"); p.LookedAt != 2 || p.Queued != 1 || p.HistoryLost != 0 || p.HistoryRegained != 0 { // the other waits for its texts
		t.Errorf("got %+v", p)
	}
	if p := w.jump("02:00"); !p.Sweep || p.HistoryLost != 0 { // an hour after the last
		t.Errorf("got %+v", p)
	}
	w.jump("02:15")
	if text := w.text("acme-2-20261123T010000Z"); w.texts != 0 || !strings.Contains(text, "node of srv2") {
		t.Errorf("asked %d times for texts that can't be had:\n%s", w.texts, text)
	}
	w.noHistory = false
	regained := int64(0)
	for range 8 {
		w.advanceBoth(15 * time.Minute)
		regained += w.poll().HistoryRegained
	}
	if regained != 2 {
		t.Errorf("%d histories of 2 can be read again", regained)
	}
}

// What the ledger does not give is told with its cause, and asked for again, for
// a day.
func TestBrokenDevice(t *testing.T) {
	w := newWorld(t, func(o *collect.Options) { o.Sweep = 100 * time.Hour })
	w.device("1", "Files 01:00-01:30\nFiles 02:00-02:10")
	w.device("2", "Files 02:00-02:10")
	w.until("01:45")
	w.want("Success srv1")
	w.closed = errors.New("disk on fire")
	p := w.until("03:00")
	if p.Failed != 2 || !strings.Contains(p.Cause.Error(), "disk on fire") || !strings.Contains(p.Cause.Error(), "device acme-") {
		t.Errorf("got %+v", p)
	}
	asked := func() time.Duration { return w.reads[len(w.reads)-1].Since }
	w.until("03:15")
	if since := asked(); since < 2*time.Hour {
		t.Errorf("changes of %s were asked for", since)
	}
	w.closed = nil
	w.until("03:30")
	if n := len(w.queued()); n != 3 {
		t.Errorf("got %q", w.summaries())
	}
	w.until("03:45")
	if since := asked(); since > 75*time.Minute {
		t.Errorf("changes of %s were asked for", since)
	}
	w.closed = errors.New("disk on fire")
	for h := 4; h < 60; h++ { // one device changes each hour, in vain
		w.salt++
		w.until(fmt.Sprintf("%d:00", h))
	}
	if since := asked(); since > 26*time.Hour {
		t.Errorf("changes of %s were asked for", since)
	}
}

// A first poll that can't read the devices reads them once, not twice.
func TestFirstReadingFails(t *testing.T) {
	w := newWorld(t, nil)
	w.device("1", "Files 01:00-01:30")
	w.unread = errors.New("HTTP 500")
	if _, err := w.Poll(context.Background(), w.product, false, false); err == nil || len(w.reads) != 1 {
		t.Errorf("%d readings: %v", len(w.reads), err)
	}
}

// Each reading fails behind its first page: what is due by time alone goes on.
func TestDueBesideAFailingPage(t *testing.T) {
	w := newWorld(t, nil)
	w.device("1", "Files 01:00-01:30")
	w.device("2", "Files 01:00-01:30")
	w.jump("01:31")
	w.failing = func(_ backup.Selection, id string) bool { return id == "2" }
	w.advanceBoth(15 * time.Minute)
	if p, err := w.Poll(context.Background(), w.product, false, false); err == nil || p.Devices != 1 {
		t.Errorf("got %+v, %v", p, err)
	}
	if n := len(w.queued()); n != 2 {
		t.Errorf("got %q", w.summaries())
	}
}

// A device whose page can't be read may have ended what it ran: it is not told of as overdue.
func TestOverdueOnAFailingPage(t *testing.T) {
	w := newWorld(t, nil)
	w.device("1", "Files 01:00-25:30")
	w.device("2", "Files 01:00-24:30")
	w.until("24:00")
	w.failing = func(_ backup.Selection, id string) bool { return id == "2" }
	for range 8 { // until 26:00
		w.advanceBoth(15 * time.Minute)
		if _, err := w.Poll(context.Background(), w.product, false, false); err == nil {
			t.Error("the page was read")
		}
	}
	w.failing = nil
	w.until("27:00")
	w.want("Warning srv1 overdue", "Success srv1", "Success srv2")
}

// A device that changed in nothing that matters is looked at once for that.
func TestNothingThatMatters(t *testing.T) {
	w := newWorld(t, nil)
	w.device("1", "Files 01:00-01:30 Failed")
	w.until("03:00")
	if w.texts != 1 || w.fingerprintReads != 1 {
		t.Errorf("error texts were asked for %d times, all devices %d times", w.texts, w.fingerprintReads)
	}
	w.salt++
	if p := w.until("04:00"); p.LookedAt != 0 {
		t.Errorf("got %+v", p)
	}
	commits := w.commits
	w.salt++
	w.until("10:00")
	if n := w.commits - commits; n != 1 {
		t.Errorf("%d commits", n)
	}
}

// Half of the devices may be gone; where more are not shown, the account sees
// less than before, and nothing is said of them.
func TestHalfIsGone(t *testing.T) {
	for left, want := range map[int]int{2: 4, 1: 1} { // overdue, and given up
		w := newWorld(t, nil)
		for i := range 4 {
			w.device(fmt.Sprint(i), "Files 01:00-90:00")
		}
		w.until("02:00")
		w.devices = w.devices[:left]
		w.until("30:00")
		if gone := !w.journal("acme-3").MissingSince.IsZero(); gone != (left == 2) {
			t.Errorf("%d of 4 left: gone %v", left, gone)
		}
		if n := len(w.queued()); n != want {
			t.Errorf("%d of 4 left: mails %q", left, w.summaries())
		}
	}
}

// At first sight a history is read back until no run is cut in two.
func TestFirstSightOfALongRun(t *testing.T) {
	lines := "Big 40:00-60:05\nFiles 60:10-75:55\nSystem 76:05-76:30\nBig 90:00-90:10"
	w := newWorld(t, nil)
	w.device("1", lines)
	w.jump("100:00")
	if ids := w.mails(); len(ids) != 2 || ids[0] != "acme-1-20261124T160000Z" {
		t.Errorf("got %q", ids)
	}
	// The second reading fails: statistics must do, and nothing is lost.
	w = newWorld(t, nil)
	w.readable = 1
	w.device("1", lines)
	if p := w.jump("100:00"); p.HistoryLost != 1 {
		t.Errorf("got %+v", p)
	}
}

// Many devices go to disk together, but not all of them.
func TestCommitsTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		for i := range 129 {
			w.device(fmt.Sprint(i), "Files 01:00-01:30")
		}
		w.jump("01:45")
		if w.commits != 3 {
			t.Errorf("%d commits of 129 devices, not 3", w.commits)
		}
	})
}

// Another bridge is quicker each time: the device is left to it.
func TestAlwaysOvertaken(t *testing.T) {
	w := newWorld(t, nil)
	w.device("1", "Files 01:00-01:30")
	w.until("00:30")
	tries := 0
	var again func()
	again = func() {
		tries++
		w.journals.mu.Lock()
		s := w.records["acme-1"]
		s.version++
		w.records["acme-1"] = s
		w.beforeCommit = again
		w.journals.mu.Unlock()
	}
	w.beforeCommit = again
	p := w.jump("01:45")
	if p.Failed != 1 || !strings.Contains(p.Cause.Error(), "quicker 5 times") || tries != 5 {
		t.Errorf("%d tries, %+v", tries, p)
	}
}

// The days before are in a backup's mail, not in a recovery test's.
func TestColourBar(t *testing.T) {
	w, p := testWorld(t, nil)
	d := w.device("1", "Files 01:00-01:30")
	w.devices[0].ColourBar = []backup.Day{{Date: "2026-11-22", Word: "Completed"}}
	p.test(d, w.at("01:00"), backup.Success)
	w.advanceBoth(time.Hour)
	w.sweep()
	w.advanceBoth(time.Hour)
	w.sweep()
	for _, e := range w.queued() {
		if days := len(e.Run.Device.ColourBar); (days == 1) != (e.Run.Kind == backup.Whole) {
			t.Errorf("%s has %d days", e.Run.ID, days)
		}
	}
	if len(w.queued()) != 2 {
		t.Errorf("got %q", w.summaries())
	}
}

// A ledger of the first edition tells when all devices were read last: what
// ended since is news.
func TestFirstEditionsSweep(t *testing.T) {
	for last, want := range map[string]int{"": 0, "2026-11-23T00:00:00Z": 1, "rubbish": 0} {
		w := newWorld(t, nil)
		w.values["sweep acme 0"] = last
		w.device("1", "Files 05:00-05:10")
		w.jump("40:00")
		if n := len(w.queued()); n != want {
			t.Errorf("after %q: %d mails", last, n)
		}
	}
}

// A session that never ended is asked for by itself; where that fails, the
// history could not be read.
func TestFarBackByItself(t *testing.T) {
	w := newWorld(t, nil)
	w.device("1", "Files 01:45-9000:00\nSystem 200:10-200:20\nSystem 202:00-202:10\nFiles 203:00-203:10")
	for _, clock := range []string{"200:00", "200:30", "202:30"} {
		w.jump(clock)
	}
	asked := w.asked["1"]
	w.readable = int(asked) + 1
	if p := w.jump("203:30"); p.HistoryLost != 1 || w.asked["1"] != asked+2 {
		t.Errorf("asked %d times, %+v", w.asked["1"]-asked, p)
	}
}
