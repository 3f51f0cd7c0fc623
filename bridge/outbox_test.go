package bridge_test

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"covebridge/bridge"
	"covebridge/bridge/backup"
	"covebridge/bridge/covesim"
	"covebridge/bridge/internal/pgtest"
	"covebridge/bridge/internal/realtest"
	"covebridge/bridge/ledger"
	"covebridge/bridge/mailbox"
)

// A ledger that was lost is made anew, and one that is restored from a copy
// goes on, without a mail coming twice.
func TestLostAndRestoredLedger(t *testing.T) {
	w, sim := simWorld(t, covesim.Options{Seed: 4, Devices: 15, Without: covesim.Wedged | covesim.LongRuns}, nil)
	w.pollSim(sim, 0)
	since := sim.Now()
	w.pollSim(sim, 6*time.Hour)
	if err := w.Bridge.Close(); err != nil {
		t.Fatal(err)
	}
	copied, err := os.ReadFile(w.path)
	if err != nil {
		t.Fatal(err)
	}
	w.start()
	w.pollSim(sim, 6*time.Hour)
	before := len(w.mails)
	w.restart()
	if err := w.Bridge.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(w.path, copied, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{w.path + "-wal", w.path + "-shm"} {
		_ = os.Remove(name)
	}
	finds := w.finds
	w.start()
	w.pollSim(sim, 0)
	if len(w.mails) != before || w.finds == finds {
		t.Errorf("%d mails came again from the restored ledger; the mailbox was asked %d times", len(w.mails)-before, w.finds-finds)
	}
	w.path += ".new"
	w.restart()
	w.pollSim(sim, 0)
	for id, n := range w.count() {
		if n != 1 {
			t.Errorf("%s came %d times after the ledger was lost", id, n)
		}
	}
	w.pollSim(sim, 4*time.Hour)
	if n := len(w.mails); n <= before {
		t.Errorf("nothing more comes: %d mails since %s", n, since)
	}
}

func TestFinalRefusalBlocksNothing(t *testing.T) {
	w := newWorld(t, nil)
	w.queue(backup.Failed, "a-1", "b-1")
	w.clock = w.clock.Add(time.Hour)
	w.queue(backup.Success, "a-2")
	w.fault = func(m mailbox.Mail) fault {
		if strings.Contains(m.MessageID, "a-1") {
			return refused
		}
		return none
	}
	if got := w.Drain(t.Context()); got.Failed != 1 || got.Sent != 2 {
		t.Errorf("got %+v", got)
	}
	w.fault = nil
	failed, err := w.Ledger.Entries(t.Context(), ledger.Query{State: backup.EntryFailed})
	if err != nil || len(failed) != 1 || !strings.Contains(failed[0].Reason, "never") {
		t.Fatalf("got %+v, %v", failed, err)
	}
	if n, err := w.ResendFailed(t.Context(), ledger.Query{}); n != 1 || err != nil {
		t.Errorf("%d are sent again: %v", n, err)
	}
	w.Drain(t.Context())
	if n := len(w.mails); n != 3 {
		t.Errorf("%d mails, want 3: %q", n, w.mails)
	}
}

// A mail that is sent again on demand comes though it may be in the mailbox.
func TestResendThoughItIsThere(t *testing.T) {
	w := newWorld(t, nil)
	d := backup.Device{Product: "acme", ID: "a", Name: "a", Type: backup.Server}
	const id = "acme-a-1@covebridge"
	e := backup.Entry{
		Run: backup.Run{ID: "acme-a-1", Kind: backup.Whole, Job: "a", Device: d, Start: epoch, End: epoch}, State: backup.EntryFiltered,
		MessageID: id, Mail: []byte("Message-ID: <" + id + ">\r\nSubject: a\r\n\r\nmail\r\n"), Doubt: true,
	}
	step := backup.Step{Key: d.Key(), Record: backup.Record{Journal: backup.Journal{Device: d}}, Entries: []backup.Entry{e}}
	if stale, err := w.Ledger.Commit(t.Context(), []backup.Step{step}); err != nil || len(stale) > 0 {
		t.Fatal(stale, err)
	}
	w.mails, w.texts = []string{id}, map[string]string{id: "a"} // from before the ledger was lost
	if _, err := w.Resend(t.Context(), e.Run.ID); err != nil {
		t.Fatal(err)
	}
	if got := w.Drain(t.Context()); got.Sent != 1 || len(w.mails) != 2 {
		t.Errorf("got %+v, mails %q", got, w.mails)
	}
}

// What an unknown outcome means where nobody can be asked: it is sent again.
func TestPlainSMTPSendsAgain(t *testing.T) {
	w := newWorld(t, nil)
	w.deaf = true
	w.queue(backup.Success, "a-1")
	w.fault = func(mailbox.Mail) fault { return unanswered }
	w.Drain(t.Context())
	w.fault = nil
	w.clock = w.clock.Add(time.Hour)
	w.restart()
	if got := w.Drain(t.Context()); got.Resent != 1 || len(w.mails) != 2 || w.mails[0] != w.mails[1] {
		t.Errorf("got %+v, mails %q", got, w.mails)
	}
}

// Three bridges on one ledger poll and deliver at the same time: each run comes
// once.
func TestSharedLedger(t *testing.T) {
	t.Parallel()
	sims := map[string]bool{}
	w, sim := simWorld(t, covesim.Options{Seed: 9, Devices: realtest.Raced(30, 5), Every: 30 * time.Minute, History: 48 * time.Hour, Without: covesim.Wedged | covesim.LongRuns}, nil)
	if err := w.Bridge.Close(); err != nil {
		t.Fatal(err)
	}
	w.url = pgtest.URL(t)
	bridges := make([]*bridge.Bridge, 3)
	for i := range bridges {
		w.start()
		bridges[i] = w.Bridge
		defer bridges[i].Close()
	}
	for range realtest.Raced(6, 3) {
		sim.Advance(2 * time.Hour)
		var all sync.WaitGroup
		for _, b := range bridges {
			all.Go(func() {
				if _, err := b.Once(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	}
	for id, n := range w.count() {
		sims[id] = true
		if n != 1 {
			t.Errorf("%s arrived %d times", id, n)
		}
	}
	if len(sims) < realtest.Raced(300, 20) {
		t.Errorf("only %d mails", len(sims))
	}
}

// After an outage many runs wait: they drain in bounded memory, as fast at the
// end as at the beginning, each device's in the order of their ends.
func TestTortureLoad(t *testing.T) {
	const devices = 500
	each := times(realtest.Raced(4, 2), 100)
	w := newWorld(t, func(o *bridge.Options) { o.Deliver.Connections = 2 })
	w.away, w.brief = true, true
	for n := range each {
		names := make([]string, devices)
		for id := range names {
			names[id] = fmt.Sprintf("%04d-%05d", id, n)
		}
		w.clock = w.clock.Add(time.Minute)
		w.queue(backup.Success, names...)
	}
	w.away = false
	var peak uint64
	var half time.Time
	n := 0
	w.fault = func(mailbox.Mail) fault {
		if n++; n%1000 == 0 {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapAlloc)
		}
		if n == devices*each/2 {
			half = time.Now()
		}
		return none
	}
	began := time.Now()
	got := w.Drain(t.Context())
	took := time.Since(began)
	if got.Sent != int64(devices*each) {
		t.Errorf("%d mails, want %d", got.Sent, devices*each)
	}
	last := map[string]string{}
	for _, id := range w.mails {
		device, _, _ := strings.Cut(strings.TrimPrefix(id, "acme-"), "-")
		if id <= last[device] {
			t.Errorf("%s came after %s", id, last[device])
		}
		last[device] = id
	}
	t.Logf("%d mails in %s, %.0f a second; the second half took %.2f times the first; heap at most %d MB",
		n, took.Round(time.Millisecond), float64(n)/took.Seconds(), float64(took-half.Sub(began))/float64(half.Sub(began)), peak>>20)
	if peak > 96<<20 {
		t.Errorf("%d MB of heap", peak>>20)
	}
}
