package collect_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/collect"
	"covebridge/bridge/message"
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

func TestSilence(t *testing.T) {
	w := newWorld(t, silence)
	w.device("1", "Files 01:00-01:30\nFiles 200:00-200:30")
	w.until("49:00")
	w.want("Success srv1")
	w.until("70:00")
	w.want("Success srv1", "Warning srv1 silence")
	w.until("160:00")
	w.want("Success srv1", "Warning srv1 silence", "Failed srv1 long-silence")
	w.until("250:00") // it spoke again, and fell silent again
	w.want("Success srv1", "Warning srv1 silence", "Failed srv1 long-silence", "Success srv1", "Warning srv1 silence")
}

func silence(o *collect.Options) {
	o.Rules.Silence = map[string]time.Duration{backup.Server: 48 * time.Hour}
}

// Devices that never had a session, or that nobody has used for weeks, are no
// news at a first start; one that fell silent lately is, once the limit has
// passed before our eyes.
func TestSilenceAtFirstStart(t *testing.T) {
	w := newWorld(t, silence)
	w.device("never", "")
	w.device("old", "Files 00:00-00:10\nFiles 800:00-800:10")
	w.device("late", "Files 300:00-300:10")
	p := w.jump("400:00")
	if p.Orphans != 2 {
		t.Errorf("%d orphans, want 2", p.Orphans)
	}
	w.want()
	w.until("449:00")
	w.want("Warning srvlate silence")
	w.until("900:00")
	w.want("Warning srvlate silence", "Failed srvlate long-silence", "Success srvold", "Warning srvold silence")
}

func TestFilters(t *testing.T) {
	w := newWorld(t, func(o *collect.Options) {
		o.Filter = collect.Filter{
			Devices:     collect.Globs{Exclude: []string{"SRV2"}},
			DataSources: collect.Globs{Exclude: []string{"Sys*"}},
			Statuses:    []backup.Status{backup.Failed, backup.Warning},
		}
	})
	w.device("1", "Files 01:00-01:30 Warning\nSystem 01:00-01:10 Failed\nFiles 05:00-05:10")
	w.device("2", "Files 01:00-01:30 Failed")
	w.until("06:00")
	w.want("Warning srv1")
	rules := map[string]int{}
	for _, e := range w.entries {
		if e.State == backup.EntryFiltered {
			rules[e.Reason]++
		}
	}
	if len(rules) != 3 || rules[`filter.data_sources exclude "Sys*"`] != 1 || rules[`filter.devices exclude "SRV2"`] != 1 || rules["filter.statuses without Success"] != 1 {
		t.Errorf("got %v", rules)
	}
}

// What can't be rendered is recorded with its cause, and can be made later.
func TestUnrenderable(t *testing.T) {
	broken := true
	w := newWorld(t, func(o *collect.Options) { o.Renderer = renderer{o.Renderer, &broken} })
	w.device("1", "Files 01:00-01:30")
	w.until("01:15")
	p := w.until("01:45")
	if len(w.entries) != 1 || w.entries[0].State != backup.EntryFailed || !strings.Contains(w.entries[0].Reason, "no paper") || len(w.entries[0].Mail) != 0 {
		t.Fatalf("got %+v", w.entries)
	}
	if p.Broken != 1 || p.Cause == nil || !strings.Contains(p.Cause.Error(), "no paper") {
		t.Errorf("the poll told of %d, %v", p.Broken, p.Cause)
	}
	e := w.entries[0]
	if err := w.Reopen(&e); err == nil {
		t.Error("made without paper")
	}
	broken = false
	if err := w.Reopen(&e); err != nil || len(e.Mail) == 0 {
		t.Errorf("%d bytes, %v", len(e.Mail), err)
	}
}

type renderer struct {
	collect.Renderer
	broken *bool
}

func (r renderer) Render(run backup.Run) (message.Mail, error) {
	if *r.broken {
		return message.Mail{}, errors.New("no paper")
	}
	return r.Renderer.Render(run)
}

// The outbox is told of once for what was queued, and not for the rest.
func TestQueuedIsTold(t *testing.T) {
	told := 0
	w := newWorld(t, func(o *collect.Options) {
		o.Queued = func() { told++ }
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

// Each filter by itself; the rule that stops a run is its reason.
func TestEachFilter(t *testing.T) {
	for reason, f := range map[string]collect.Filter{
		`filter.customers exclude "bolt*"`:                  {Customers: collect.Globs{Exclude: []string{"bolt*"}}},
		`filter.customers exclude "North"`:                  {Customers: collect.Globs{Exclude: []string{"North"}}},
		`filter.customers include does not match "Bolt BV"`: {Customers: collect.Globs{Include: []string{"Acme"}}},
		`filter.devices exclude "MAIL?"`:                    {Devices: collect.Globs{Exclude: []string{"MAIL?"}}},
		`filter.devices include does not match "srv1"`:      {Devices: collect.Globs{Include: []string{"srv2"}}},
		`filter.data_sources exclude "FILES"`:               {DataSources: collect.Globs{Exclude: []string{"FILES"}}},
		"filter.types without Server":                       {Types: []string{backup.Workstation}},
		"filter.statuses without Success":                   {Statuses: []backup.Status{backup.Failed}},
		"": {
			Customers: collect.Globs{Include: []string{"acme", "north"}, Exclude: []string{"south"}}, Devices: collect.Globs{Include: []string{"*1"}},
			DataSources: collect.Globs{Include: []string{"files"}}, Types: []string{backup.Server}, Statuses: []backup.Status{backup.Success},
		},
	} {
		w := newWorld(t, func(o *collect.Options) { o.Filter = f })
		w.device("1", "Files 01:00-01:30")
		w.devices[0].Alias, w.devices[0].CustomerPath = "mail1", []string{"North"}
		w.until("02:00")
		if len(w.entries) != 1 || w.entries[0].Reason != reason || (w.entries[0].State == backup.EntryFiltered) != (reason != "") {
			t.Errorf("%s: %+v", reason, w.entries)
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

// A device that two accounts see is mailed once, by the first of them; when that
// one shows it no more, by the other.
func TestTwoAccounts(t *testing.T) {
	second := newProduct("second")
	w := newWorld(t, func(o *collect.Options) { o.Sources = append(o.Sources, second) })
	d := w.device("1", "Files 01:00-01:30\nFiles 30:00-30:10 Failed")
	second.devices = []backup.Device{d}
	second.truth["1"] = w.truth["1"]
	both := func(until string) {
		t.Helper()
		for w.now.Before(w.at(until)) {
			w.pass(15 * time.Minute)
			second.advance(15 * time.Minute)
			w.poll()
			if _, err := w.Poll(context.Background(), second, false, false); err != nil {
				t.Fatal(err)
			}
		}
	}
	both("02:00")
	w.want("Success srv1")
	if second.asked["1"] != 0 {
		t.Error("both accounts worked on it")
	}
	w.devices = nil // moved out of the first account's sight
	both("40:00")
	w.want("Success srv1", "Failed srv1")
	if e := w.queued(); e[0].Account != "acme" || e[1].Account != "second" {
		t.Errorf("accounts %q and %q", e[0].Account, e[1].Account)
	}
}

// The account that comes first in the configuration takes a device over from
// one that comes later and still sees it.
func TestFirstAccountOwns(t *testing.T) {
	second := newProduct("second")
	w := newWorld(t, func(o *collect.Options) { o.Sources = append(o.Sources, second) })
	d := w.device("1", "Files 01:00-01:30\nFiles 03:00-03:30")
	second.devices, second.truth["1"], w.devices = []backup.Device{d}, w.truth["1"], nil
	for w.now.Before(w.at("04:00")) {
		w.pass(15 * time.Minute)
		second.advance(15 * time.Minute)
		if w.now.Equal(w.at("02:00")) {
			w.devices = second.devices
		}
		if _, err := w.Poll(context.Background(), second, false, false); err != nil {
			t.Fatal(err)
		}
		w.poll()
	}
	w.want("Success srv1", "Success srv1")
	if e := w.queued(); e[0].Account != "second" || e[1].Account != "acme" {
		t.Errorf("accounts %q and %q", e[0].Account, e[1].Account)
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

// A commit that fails leaves nothing behind: the next poll makes up for it.
func TestCommitFails(t *testing.T) {
	w := newWorld(t, nil)
	w.device("1", "Files 01:00-01:30")
	w.device("2", "Files 01:00-01:30 Warning")
	w.until("00:30")
	w.err = errors.New("disk full")
	w.pass(2 * time.Hour)
	_, err := w.Poll(context.Background(), w.product, false, false)
	if err == nil || strings.Count(err.Error(), "disk full") != 1 {
		t.Errorf("got %v", err)
	}
	w.err = nil
	w.until("03:00")
	if n := len(w.queued()); n != 2 {
		t.Errorf("%d mails: %q", n, w.told())
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
		w.pass(30 * time.Minute)
		if _, err := w.Poll(context.Background(), w.product, false, false); err != nil {
			failures++
		}
	}
	if n := len(w.queued()); n != 9 || failures < 10 {
		t.Errorf("%d mails of 9; %d polls told of a failure", n, failures)
	}
}

// One account that hangs holds up no other.
func TestAccountsApart(t *testing.T) {
	second := newProduct("second")
	w := newWorld(t, func(o *collect.Options) { o.Sources = append(o.Sources, second) })
	for i := range 20 {
		w.device(fmt.Sprint(i), "Files 01:00-01:30")
		second.devices = append(second.devices, backup.Device{Product: "acme", Software: "Acme Backup", ID: fmt.Sprint(1000 + i), Name: fmt.Sprint("x", i), Type: backup.Server})
		second.truth[fmt.Sprint(1000+i)] = w.truth["0"]
	}
	w.pass(2 * time.Hour)
	second.advance(2 * time.Hour)
	w.hang = make(chan struct{})
	ended := make(chan struct{})
	go func() { w.Poll(context.Background(), w.product, false, false); close(ended) }()
	if _, err := w.Poll(context.Background(), second, false, false); err != nil {
		t.Fatal(err)
	}
	if n := len(w.queued()); n != 20 {
		t.Errorf("%d of 20 mails while the first account hangs", n)
	}
	close(w.hang)
	<-ended
	if n := len(w.queued()); n != 40 {
		t.Errorf("%d of 40 mails", n)
	}
}

// A backfill queues what was never sent, once however often it is asked for,
// with its error texts; a partial row changes no type.
func TestBackfill(t *testing.T) {
	w := newWorld(t, nil)
	w.device("1", "Files 00:10-00:20\nFiles 20:00-20:10 Failed\nFiles 71:00-71:10")
	w.device("2", "Mail 20:00-20:10 Warning")
	w.devices[1].Type = backup.Microsoft365
	w.jump("72:00")
	w.want("Success srv1")
	w.devices[1].Type = ""
	span := collect.Span{Since: w.at("10:00"), Until: w.at("60:00"), DryRun: true}
	told := 0
	var last collect.Progress
	backfill := func() int {
		t.Helper()
		n, err := w.Backfill(context.Background(), span, func(p collect.Progress) { told, last = told+1, p })
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := backfill(); n != 2 {
		t.Errorf("%d would be sent, want 2", n)
	}
	w.want("Success srv1")
	for _, narrow := range []collect.Span{
		{Customers: collect.Globs{Include: []string{"acme"}}}, {Devices: collect.Globs{Include: []string{"SRV3"}}},
		{Devices: collect.Globs{Exclude: []string{"srv*"}}}, {Since: w.at("30:00")}, {Until: w.at("20:00")},
	} {
		whole := span
		span.Customers, span.Devices = narrow.Customers, narrow.Devices
		if !narrow.Since.IsZero() {
			span.Since = narrow.Since
		}
		if !narrow.Until.IsZero() {
			span.Until = narrow.Until
		}
		if n := backfill(); n != 0 {
			t.Errorf("%d would be sent of %+v", n, narrow)
		}
		span = whole
	}
	span.Devices.Include = []string{"srv2"}
	if n := backfill(); n != 1 {
		t.Errorf("%d would be sent of one device, want 1", n)
	}
	span.Devices.Include, span.DryRun, told = nil, false, 0
	if n := backfill(); n != 2 || told != 3 {
		t.Errorf("%d were sent, want 2; told %d times, want 3", n, told)
	}
	if want := (collect.Progress{Account: "acme", Done: 2, Total: 2, Runs: 2}); last != want {
		t.Errorf("told %+v at last", last)
	}
	w.want("Success srv1", "Failed srv1", "Warning srv2")
	span.Until = time.Time{}
	if n := backfill(); n != 0 {
		t.Errorf("%d were sent by the second backfill", n)
	}
	if text := w.text("acme-1-20261123T200000Z"); !strings.Contains(text, "disk on fire in 1-1") {
		t.Error(text)
	}
	if text := w.text("acme-2-20261123T200000Z"); !strings.Contains(text, "Backup type: Microsoft 365") {
		t.Error(text)
	}
	w.until("80:00")
	w.want("Success srv1", "Failed srv1", "Warning srv2")
}

// A device whose mail can't be made is on record with the cause, the others go
// on, and once the cause is gone its mail can be made.
func TestPoisonedDevice(t *testing.T) {
	name := `{{if eq .Device.Name "srv1"}}{{index .Device.CustomerPath 7}}{{end}}{{.Device.Name}}`
	w := newWorld(t, func(o *collect.Options) {
		job, err := collect.NewJob(name)
		if err != nil {
			t.Fatal(err)
		}
		o.Job = job
	})
	w.device("1", "Files 01:00-01:30\nFiles 03:00-03:30")
	w.device("2", "Files 01:00-01:30")
	w.until("04:00")
	w.want("Success srv2")
	var failed []backup.Entry
	for _, e := range w.entries {
		if e.State == backup.EntryFailed {
			failed = append(failed, e)
		}
	}
	if len(failed) != 2 || !strings.Contains(failed[0].Reason, "job.name") {
		t.Fatalf("got %+v", failed)
	}
	if err := w.Reopen(&failed[0]); err == nil {
		t.Error("made though its name can't be made")
	}
	name = "{{.Device.Name}}"
	w.restart()
	if err := w.Reopen(&failed[0]); err != nil || failed[0].Run.Job != "srv1" || len(failed[0].Mail) == 0 {
		t.Errorf("job %q, %d bytes: %v", failed[0].Run.Job, len(failed[0].Mail), err)
	}
}
