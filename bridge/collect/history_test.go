package collect_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/internal/realtest"
)

// Sessions of one data source back to back, statistics a little off the
// history, and what statistics tell a start or an end.
func TestBackToBack(t *testing.T) {
	for _, starts := range []bool{false, true} {
		for _, skew := range []time.Duration{-2 * time.Minute, -61 * time.Second, -45 * time.Second, 0, 45 * time.Second, 61 * time.Second} {
			for _, noHistory := range []string{"never", "at times"} {
				w := newWorld(t, nil)
				w.skew, w.starts = skew, starts
				w.device("1", "Files 05:06-10:06 Failed\nFiles 10:07-15:07\nFiles 15:08-15:20 Warning\nFiles 15:21-15:30")
				for m := 30; m < 20*60; m += 15 {
					w.noHistory = noHistory == "at times" && (m/15)%3 == 0
					w.until(fmt.Sprintf("%d:%02d", m/60, m%60))
				}
				w.noHistory = false
				w.until("24:00")
				if n := len(w.queued()); n != 4 {
					t.Errorf("starts %v, skew %s, history away %s: %d mails for 4 sessions: %q", starts, skew, noHistory, n, w.mails())
				}
			}
		}
	}
}

// A restarted session just before the real one is not taken for it, where what
// statistics tell is a start.
func TestRestartedBeforeTheRealOne(t *testing.T) {
	for _, starts := range []bool{false, true} {
		w := newWorld(t, nil)
		w.starts = starts
		w.device("1", "Files 01:00-01:10\nFiles 05:00-05:00 Restarted\nFiles 05:01-05:40 Failed\nFiles 09:00-09:10")
		w.until("12:00")
		w.want("Success srv1", "Failed srv1", "Success srv1")
	}
}

// Microsoft 365 lists sessions 20 hours late, behind a restarted one.
func TestListedTwentyHoursLate(t *testing.T) {
	w := newWorld(t, nil)
	w.lookBack = 7 * 24 * time.Hour
	w.device("1", "Mail 01:00-01:10\nMail 07:00-07:01 Restarted\nMail 07:02-07:20 Warning\nMail 13:00-13:10\nMail 19:00-19:10")
	w.devices[0].Type = backup.Microsoft365
	for _, id := range []string{"1-1", "1-2", "1-3"} {
		w.late[id], w.delay[id] = true, 20*time.Hour
	}
	w.until("60:00")
	w.want("Success srv1", "Warning srv1", "Success srv1", "Success srv1")
}

// A restarted session that is listed late ends, and does not stay open.
func TestRestartedLate(t *testing.T) {
	w := newWorld(t, nil)
	w.device("1", "Files 01:00-01:05 Restarted\nFiles 01:08-01:30\nFiles 20:00-20:10\nFiles 300:00-300:10")
	w.until("00:30")
	w.noHistory = true
	w.until("02:00")
	w.noHistory = false
	w.until("310:00")
	w.want("Success srv1", "Success srv1", "Success srv1")
	for _, k := range w.journal("acme-1").Sessions {
		if k.Run == "" {
			t.Errorf("still open: %+v", k)
		}
	}
}

// A restarted session that nothing takes the place of is told of.
func TestRestartedForGood(t *testing.T) {
	w := newWorld(t, nil)
	w.device("1", "Files 01:00-01:05 Restarted\nFiles 20:00-20:10")
	w.until("24:00")
	w.want("Warning srv1", "Success srv1")
}

// A run that waits for its error texts is not overtaken by a later one.
func TestTextsKeepTheOrder(t *testing.T) {
	w := newWorld(t, nil)
	w.noErrors = true
	w.device("1", "Files 01:00-01:02 Failed\nFiles 01:14-01:16")
	w.until("01:30")
	w.until("03:00")
	w.want("Failed srv1", "Success srv1")
}

// After an outage the runs come in the order of their ends, not of their starts.
func TestOrderAfterAnOutage(t *testing.T) {
	w := newWorld(t, nil)
	w.device("1", "System 01:00-01:10\nFiles 01:05-09:00\nSystem 03:00-03:10 Failed")
	w.until("00:30")
	w.jump("12:00")
	w.want("Failed srv1", "Success srv1")
}

// A row whose columns are missing renames nothing and changes no type; a device
// that was never seen with a name waits for it.
func TestNullRow(t *testing.T) {
	w := newWorld(t, nil)
	w.device("1", "Mail 01:00-01:10\nMail 05:00-05:10")
	w.device("2", "Files 01:00-01:10")
	w.devices[0].Type = backup.Microsoft365
	w.null["2"] = true
	w.until("02:00")
	w.want("Success srv1")
	w.null["1"] = true
	loads := w.loads
	w.until("04:00")
	if w.loads != loads {
		t.Errorf("a row that tells nothing was looked at %d times", w.loads-loads)
	}
	w.null["1"] = false
	w.until("06:00")
	w.want("Success srv1", "Success srv1")
	if d := w.queued()[1].Run.Device; d.Type != backup.Microsoft365 || d.Name != "srv1" {
		t.Errorf("it became %s %q", d.Type, d.Name)
	}
	w.null["2"], w.devices[1].Name = false, ""
	p := w.until("08:00")
	if len(w.queued()) != 2 || p.Nameless != 1 {
		t.Errorf("a device without a name: %q, %+v", w.summaries(), p)
	}
	w.names["2"] = "srv2"
	w.until("09:00")
	w.want("Success srv1", "Success srv1", "Success srv2")
}

// A row that tells of a session but neither name nor type, as where those columns
// are missing, renames no job and makes no tenant a server.
func TestPartialRow(t *testing.T) {
	w := newWorld(t, nil)
	w.device("1", "Mail 01:00-01:10\nMail 05:00-05:10")
	w.devices[0].Type = backup.Microsoft365
	w.until("02:00")
	w.devices[0].Name, w.devices[0].Type = "", ""
	w.until("06:00")
	w.want("Success srv1", "Success srv1")
	for _, e := range w.queued() {
		if e.Run.Device.Type != backup.Microsoft365 {
			t.Errorf("%s became a %s", e.Run.ID, e.Run.Device.Type)
		}
	}
}

// A running session of unknown start is not overdue ten minutes in.
func TestUnknownStart(t *testing.T) {
	w := newWorld(t, nil)
	w.vague = true
	w.device("1", "Mail 01:00-01:30\nMail 73:00-73:30\nMail 80:00-110:00")
	w.late["1-1"], w.late["1-2"] = true, true
	w.until("75:00")
	w.want("Success srv1", "Success srv1")
	w.until("112:00")
	w.want("Success srv1", "Success srv1", "Warning srv1 overdue", "Success srv1")
}

// A session that never ends costs no more with time, and ends when its device
// is gone or a newer one of its data source begins.
func TestWedged(t *testing.T) {
	realtest.Long(t, "it polls for 20 days")
	days := realtest.Raced(20, 8)
	w := newWorld(t, nil)
	lines := []string{"Stuck 00:45-90000:00"}
	for h := 1; h < 24*days; h++ {
		lines = append(lines, fmt.Sprintf("Files %d:00-%d:10", h, h))
	}
	w.device("1", strings.Join(lines, "\n"))
	w.until("48:00")
	rows := func(from, to string) int {
		w.until(from)
		w.listed = 0
		w.until(to)
		return w.listed
	}
	hour := func(h int) string { return fmt.Sprintf("%d:30", h) }
	early, late := rows("48:30", "72:30"), rows(hour(24*days-60), hour(24*days-36))
	if late > early {
		t.Errorf("a day cost %d rows at first and %d later", early, late)
	}
	if n := len(w.journal("acme-1").Sessions); n > 100 {
		t.Errorf("%d sessions are remembered", n)
	}
	w.until(fmt.Sprintf("%d:00", 24*days))
	overdue := 0
	for _, e := range w.queued() {
		if e.Run.Kind == backup.Overdue {
			overdue++
		}
	}
	if n := len(w.queued()) - overdue; overdue == 0 || overdue > 2 || n < 24*days-2 {
		t.Errorf("%d overdue, %d others", overdue, n)
	}
}

func TestPassedByANewer(t *testing.T) {
	w := newWorld(t, nil)
	w.device("1", "Files 01:00-9000:00\nFiles 05:00-05:10")
	w.until("08:00")
	w.want("Warning srv1", "Success srv1")
	if text := w.text(w.mails()[0]); !strings.Contains(text, "no result was told") {
		t.Error(text)
	}
}

// Devices that are gone end, and what is open is bounded.
func TestGoneDevices(t *testing.T) {
	w := newWorld(t, nil)
	for i := range 20 {
		w.device(fmt.Sprint(i), "Files 01:00-9000:00")
	}
	for i := range 30 {
		w.device(fmt.Sprint("ok", i), "Files 01:00-01:10")
	}
	w.until("02:00")
	w.devices = w.devices[20:]
	w.until("60:00")
	if n := len(w.queued()); n != 30+20 { // results, and the end without one: while a device is out of sight nothing is overdue
		t.Errorf("%d mails", n)
	}
	due, err := w.DueDevices(context.Background(), "acme", w.clock.AddDate(100, 0, 0), 1000)
	if err != nil || len(due) != 0 {
		t.Errorf("%d devices are open: %v", len(due), err)
	}
	loads := w.loads
	w.until("80:00")
	if w.loads != loads {
		t.Errorf("%d loads", w.loads-loads)
	}
}

// A lost ledger is made anew: all that may have gone out is in doubt.
func TestLostLedger(t *testing.T) {
	w := newWorld(t, nil)
	w.device("1", "Files 01:00-01:30\nFiles 03:00-03:30 Failed\nFiles 06:00-06:10")
	w.until("04:00")
	before := w.mails()
	w.journals = newJournals()
	w.restart()
	w.until("07:00")
	if got := w.mails(); len(got) != 3 || got[0] != before[0] || got[1] != before[1] {
		t.Errorf("%q became %q", before, got)
	}
	for i, e := range w.queued() {
		if e.Doubt != (i < 2) {
			t.Errorf("%s: doubt %v", e.Run.ID, e.Doubt)
		}
	}
}

// What the journal has forgotten is not mailed again when the history lists it
// anew, for it is asked about a session that never ends.
func TestForgottenSessions(t *testing.T) {
	w := newWorld(t, nil)
	w.device("1", "Files 01:00-01:30\nStuck 01:45-9000:00\nFiles 02:00-02:30 Failed\nFiles 2399:00-2399:30 Warning\nFiles 2500:00-2500:30")
	for _, clock := range []string{"00:30", "02:00", "03:00", "40:00", "2400:00", "2502:00", "2503:00"} {
		w.jump(clock)
	}
	seen := map[string]bool{}
	for _, id := range w.mails() {
		if seen[id] {
			t.Errorf("%s came twice", id)
		}
		seen[id] = true
	}
	// Three runs of Files, and the overdue one that the failed session waits in.
	w.want("Success srv1", "Warning srv1 overdue", "Warning srv1", "Success srv1")
	if text := w.text(w.mails()[1]); !strings.Contains(text, "disk on fire in 1-2") {
		t.Error(text)
	}
}
