package bridge_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"covebridge/bridge"
	"covebridge/bridge/backup"
	"covebridge/bridge/ledger"
	"covebridge/bridge/mailbox"
	"covebridge/bridge/message"
)

var epoch = time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)

// world is a product, a mailbox and a bridge between them.
type world struct {
	testing.TB
	*product
	*box
	*bridge.Bridge
	clock time.Time // the ledger's
	path  string    // of an SQLite ledger
	url   string    // of a PostgreSQL ledger, instead
	lease time.Duration
	opts  func(*bridge.Options)
}

func newWorld(t testing.TB, opts func(*bridge.Options)) *world {
	w := &world{
		TB:      t,
		product: &product{name: "acme", now: epoch, truth: map[string][]backup.Session{}, asked: map[string]int64{}, late: map[string]bool{}},
		box:     &box{},
		clock:   epoch,
		path:    filepath.Join(t.TempDir(), "ledger.db"),
		opts:    opts,
	}
	w.start()
	t.Cleanup(func() { w.Bridge.Close() })
	return w
}

// start makes the bridge; after stop or a crash, a new one on the same ledger.
func (w *world) start() {
	w.Helper()
	where := ledger.Options{SQLite: w.path, Now: func() time.Time { return w.clock }}
	if w.url != "" {
		where = ledger.Options{Postgres: w.url, Lease: w.lease}
	}
	l, err := ledger.Open(context.Background(), where)
	if err != nil {
		w.Fatal(err)
	}
	if err := l.Hold(context.Background()); err != nil {
		w.Fatal(err)
	}
	r, err := message.New(message.Options{From: "cove@msp.example", To: []string{"backups@msp.example"}})
	if err != nil {
		w.Fatal(err)
	}
	job, err := bridge.NewJob("{{.Device.Name}}")
	if err != nil {
		w.Fatal(err)
	}
	o := bridge.Options{
		Sources: []bridge.Source{w.product}, Ledger: l, Mailbox: w.box, Renderer: r, Log: slog.New(slog.DiscardHandler),
		Connections: 2, Rules: backup.Rules{Window: 10 * time.Minute}, Interval: 15 * time.Minute, Sweep: time.Hour,
		Baseline: 24 * time.Hour, MaxWait: 24 * time.Hour, History: true, Concurrency: 2, Job: job,
	}
	if w.opts != nil {
		w.opts(&o)
	}
	w.Bridge = bridge.New(o)
}

// restart ends the bridge as a crash would, and starts a new one.
func (w *world) restart() {
	w.Helper()
	if err := w.Bridge.Close(); err != nil {
		w.Fatal(err)
	}
	w.start()
}

// device adds a device; its sessions are read from lines such as
// "Files 01:00-01:30 Failed", with hours after the epoch.
func (w *world) device(id, lines string) backup.Device {
	w.Helper()
	d := backup.Device{Product: "acme", Software: "Acme Backup", ID: id, Name: "srv" + id, Customer: "Bolt BV", Type: backup.Server, UsedStorage: backup.Unknown, Created: epoch.AddDate(-1, 0, 0)}
	w.devices = append(w.devices, d)
	for line := range strings.SplitSeq(strings.TrimSpace(lines), "\n") {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		start, end, _ := strings.Cut(words[1], "-")
		s := backup.Session{
			ID: fmt.Sprintf("%s-%d", id, len(w.truth[id])), Source: backup.DataSource{Key: words[0], Name: words[0]},
			State: backup.Ended, Result: "ended", Start: w.at(start), End: w.at(end),
		}
		if len(words) > 2 {
			var err error
			if s.Status, err = backup.ParseStatus(words[2]); err != nil {
				w.Fatal(err)
			}
		}
		w.truth[id] = append(w.truth[id], s)
	}
	return d
}

func (w *world) at(clock string) time.Time {
	w.Helper()
	var h, m int
	if _, err := fmt.Sscanf(clock, "%d:%d", &h, &m); err != nil {
		w.Fatal(err)
	}
	return epoch.Add(time.Duration(h)*time.Hour + time.Duration(m)*time.Minute)
}

// until moves both clocks and polls and delivers once.
func (w *world) until(clock string) bridge.Summary {
	w.Helper()
	step := w.at(clock).Sub(w.now)
	w.advance(step)
	w.clock = w.clock.Add(step)
	s, err := w.Once(context.Background())
	if err != nil {
		w.Fatal(err)
	}
	return s
}

// subjects lists the mails in the order of their arrival.
func (w *world) subjects() (subjects []string) {
	for _, id := range w.mails {
		_, after, _ := strings.Cut(w.texts[id], "Subject: ")
		subject, _, _ := strings.Cut(after, "\n")
		subjects = append(subjects, subject)
	}
	return subjects
}

func (w *world) want(subjects ...string) {
	w.Helper()
	if got := w.subjects(); !slices.Equal(got, subjects) {
		w.Errorf("mails:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(subjects, "\n"))
	}
}

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

// A ledger that was lost is made anew without a mail coming twice.
func TestLostLedger(t *testing.T) {
	w := newWorld(t, func(o *bridge.Options) { o.Silence = map[string]time.Duration{backup.Server: time.Hour} })
	w.device("1", "Files 01:00-01:30\nFiles 03:00-03:30 Failed")
	w.until("00:30")
	w.until("02:00")
	w.until("04:00")
	before := len(w.mails)
	w.path += ".new"
	w.restart()
	w.until("04:10")
	if len(w.mails) != before || w.finds == 0 {
		t.Errorf("%d mails came again; the mailbox was asked %d times:\n%q", len(w.mails)-before, w.finds, w.subjects())
	}
}

// What the ledger has forgotten is not mailed again when the history still
// lists it, for it is asked from the start of a session that never ends.
func TestForgottenSessions(t *testing.T) {
	w := newWorld(t, nil)
	w.device("1", "Files 01:00-01:30\nStuck 01:45-9000:00\nFiles 02:00-02:30 Failed\nFiles 2399:00-2399:30 Warning\nFiles 2500:00-2500:30")
	for _, clock := range []string{"00:30", "02:00", "03:00", "40:00", "2400:00", "2502:00", "2503:00"} {
		w.until(clock)
	}
	for id, n := range w.count() {
		if n != 1 {
			t.Errorf("%s came %d times", id, n)
		}
	}
	// Three runs of Files, and the overdue one that the failed session waits in.
	if len(w.mails) != 4 || !strings.Contains(w.texts[w.mails[1]], "disk on fire in 1-2") {
		t.Errorf("got %q", w.texts)
	}
}

func TestRefusedMailBlocksNothing(t *testing.T) {
	w := newWorld(t, nil)
	w.device("1", "Files 01:00-01:30\nFiles 03:00-03:30")
	w.fault = func(m mailbox.Mail) fault {
		if strings.Contains(m.MessageID, "T010000Z") {
			return refused
		}
		return none
	}
	w.until("00:30")
	s := w.until("04:00")
	w.want("[Acme] Success: srv1 (Bolt BV)")
	if s.Delivered.Refused != 1 {
		t.Errorf("got %+v", s.Delivered)
	}
	w.fault = nil
	failed, err := w.Ledger.Entries(context.Background(), ledger.Query{State: ledger.Failed})
	if err != nil || len(failed) != 1 || !strings.Contains(failed[0].Reason, "never") {
		t.Fatalf("got %+v, %v", failed, err)
	}
	if _, err := w.Resend(context.Background(), failed[0].Run.ID); err != nil {
		t.Fatal(err)
	}
	w.Drain(context.Background())
	w.want("[Acme] Success: srv1 (Bolt BV)", "[Acme] Success: srv1 (Bolt BV)")
}

// A device whose mail can't be made is on record with the cause, the others go
// on, and once the cause is gone it can be sent.
func TestPoisonedDevice(t *testing.T) {
	name := `{{if eq .Device.Name "srv1"}}{{index .Device.CustomerPath 7}}{{end}}{{.Device.Name}}`
	w := newWorld(t, func(o *bridge.Options) {
		job, err := bridge.NewJob(name)
		if err != nil {
			t.Fatal(err)
		}
		o.Job = job
	})
	w.device("1", "Files 01:00-01:30\nFiles 03:00-03:30")
	w.device("2", "Files 01:00-01:30")
	w.until("00:30")
	w.until("02:00")
	w.until("04:00")
	w.want("[Acme] Success: srv2 (Bolt BV)")
	failed, err := w.Ledger.Entries(context.Background(), ledger.Query{State: ledger.Failed})
	if err != nil || len(failed) != 2 || !strings.Contains(failed[0].Reason, "job.name") {
		t.Fatalf("got %+v, %v", failed, err)
	}
	if _, err := w.Resend(context.Background(), failed[0].Run.ID); err == nil {
		t.Error("sent though its name can't be made")
	}
	name = "{{.Device.Name}}"
	w.restart()
	if _, err := w.Resend(context.Background(), failed[0].Run.ID); err != nil {
		t.Fatal(err)
	}
	w.Drain(context.Background())
	w.want("[Acme] Success: srv2 (Bolt BV)", "[Acme] Success: srv1 (Bolt BV)")
}

// What an unknown outcome means where nobody can be asked: it is sent again.
func TestPlainSMTPSendsAgain(t *testing.T) {
	w := newWorld(t, nil)
	w.deaf = true
	w.device("1", "Files 01:00-01:30")
	w.until("00:30")
	w.fault = func(mailbox.Mail) fault { return unanswered }
	w.until("02:00")
	w.fault = nil
	s := w.until("04:00")
	if s.Delivered.Resent != 1 || len(w.mails) != 2 || w.mails[0] != w.mails[1] {
		t.Errorf("got %+v, mails %q", s.Delivered, w.mails)
	}
}
