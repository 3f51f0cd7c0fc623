package collect_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// A commit that fails leaves nothing behind: the next poll makes up for it.
func TestCommitFails(t *testing.T) {
	w := newWorld(t, nil)
	w.device("1", "Files 01:00-01:30")
	w.device("2", "Files 01:00-01:30 Warning")
	w.until("00:30")
	w.err = errors.New("disk full")
	w.advanceBoth(2 * time.Hour)
	_, err := w.Poll(context.Background(), w.product, false, false)
	if err == nil || strings.Count(err.Error(), "disk full") != 1 {
		t.Errorf("got %v", err)
	}
	w.err = nil
	w.until("03:00")
	if n := len(w.queued()); n != 2 {
		t.Errorf("%d mails: %q", n, w.summaries())
	}
}

// Two bridges look at one device known from statistics alone, at the same time.
func TestTwoBridgesOneDevice(t *testing.T) {
	w := newWorld(t, nil)
	w.device("1", "Files 01:30-01:40\nSystem 01:30-01:45 Failed")
	w.noHistory = true
	w.until("01:10")
	first := w.Collector
	w.restart() // a second one on the same ledger
	second := w.Collector
	w.advanceBoth(50 * time.Minute)
	w.beforeCommit = func() {
		if _, err := second.Poll(context.Background(), w.product, true, true); err != nil {
			t.Error(err)
		}
	}
	if _, err := first.Poll(context.Background(), w.product, false, true); err != nil {
		t.Error(err)
	}
	w.until("05:00")
	w.want("Failed srv1")
	if n := len(w.journal("acme-1").Sessions); n != 2 {
		t.Errorf("2 sessions became %d", n)
	}
}

// A step that another bridge overtook is decided again in the same poll, with
// what was read.
func TestOvertaken(t *testing.T) {
	w := newWorld(t, nil)
	w.device("1", "Files 01:00-01:30")
	w.until("01:15")
	asked := w.asked["1"]
	w.beforeCommit = func() {
		w.journals.mu.Lock()
		defer w.journals.mu.Unlock()
		s := w.records["acme-1"]
		s.version++
		w.records["acme-1"] = s
	}
	w.jump("01:45")
	w.want("Success srv1")
	if n := w.asked["1"] - asked; n != 1 {
		t.Errorf("the history was asked for %d times", n)
	}
}

// What another bridge worked on is not looked at again, however long statistics
// go on to show it.
func TestAnotherBridgeWasFirst(t *testing.T) {
	w := newWorld(t, nil)
	w.device("1", "Files 01:00-01:30")
	w.until("00:45")
	first := w.Collector
	w.restart() // a second one on the same ledger
	w.poll()
	w.advanceBoth(time.Hour)
	if _, err := first.Poll(t.Context(), w.product, false, true); err != nil {
		t.Fatal(err)
	}
	w.want("Success srv1")
	asked, loads := w.asked["1"], w.loads
	for range 3 {
		w.advanceBoth(time.Minute)
		if p, err := w.Poll(t.Context(), w.product, false, true); err != nil || p.Sweep || p.Devices != 1 {
			t.Fatal(p, err)
		}
	}
	if histories, records := w.asked["1"]-asked, w.loads-loads; histories != 0 || records != 0 {
		t.Errorf("its history was asked for %d times, its record read %d times", histories, records)
	}
}
