package bridge_test

import (
	"context"
	"testing"
	"time"

	"covebridge/bridge"
	"covebridge/bridge/backup"
	"covebridge/bridge/covesim"
	"covebridge/bridge/ledger"
	"covebridge/bridge/status"
)

// What a bridge is at can be read from its ledger by another process, while it
// runs and after it has ended.
func TestStatusOfARunningBridge(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	polls := 0
	var w *world
	look := func() status.Status {
		t.Helper()
		l, err := ledger.Open(t.Context(), ledger.Options{SQLite: w.path})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		s, err := status.Read(t.Context(), l, epoch.Add(time.Hour), time.UTC)
		if err != nil {
			t.Error(err)
		}
		return s
	}
	w, sim := simWorld(t, covesim.Options{Seed: 1, Devices: 3}, func(o *bridge.Options) {
		o.Name, o.Version, o.Interval = "host:1", "v9", time.Millisecond
		watch(func() error {
			if polls++; polls == 2 {
				stop()
			}
			return nil
		})(o)
	})
	s := look()
	if len(s.Bridges) != 0 || len(s.Findings) != 1 || s.Findings[0].Name != "not_running" {
		t.Errorf("before: %+v", s)
	}
	sim.Advance(time.Hour)
	w.clock = epoch.Add(time.Hour)
	w.Run(ctx)
	s = look()
	if len(s.Bridges) != 1 || s.Bridges[0].Name != "host:1" || s.Bridges[0].Version != "v9" || s.Bridges[0].Alive(time.Now()) {
		t.Errorf("bridges: %+v", s.Bridges)
	}
	if len(s.Accounts) != 1 || s.Accounts[0].Name != "sim" || s.Accounts[0].LastGood.IsZero() || s.Accounts[0].Devices != 3 || !s.Accounts[0].NextPoll.IsZero() {
		t.Errorf("accounts: %+v", s.Accounts)
	}
	if len(s.Findings) != 1 || s.Findings[0].Why != "host:1 has ended" {
		t.Errorf("findings: %+v", s.Findings)
	}
	own, err := w.Status(t.Context())
	if err != nil || len(own.Bridges) != 1 || !own.Bridges[0].Alive(time.Now()) || own.Accounts[0].NextPoll.IsZero() {
		t.Errorf("seen from itself: %+v, %v", own, err)
	}
}

// Backlog, today and lag are read from the ledger's rows.
func TestStatusTallies(t *testing.T) {
	w := newWorld(t, nil)
	w.queue(backup.Success, "a-1", "b-1")
	w.queue(backup.Failed, "c-1")
	w.clock = w.clock.Add(30 * time.Minute)
	w.Drain(t.Context())
	w.queue(backup.Warning, "d-1")
	s, err := status.Read(t.Context(), w.Ledger, epoch.Add(2*time.Hour), time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	if s.Today[backup.Success] != 2 || s.Today[backup.Failed] != 1 || s.Today[backup.Warning] != 1 {
		t.Errorf("today: %v", s.Today)
	}
	if s.Lag.Runs != 3 || s.Lag.Median != 30*time.Minute || s.Lag.Worst != 30*time.Minute {
		t.Errorf("lag: %+v", s.Lag)
	}
	if s.Backlog.Mails != 1 || !s.Backlog.Oldest.Equal(epoch.Add(30*time.Minute)) {
		t.Errorf("backlog: %+v", s.Backlog)
	}
	stuck := 0
	for _, f := range s.Findings {
		if f.Name == "mails_stuck" {
			stuck++
		}
	}
	if stuck != 1 {
		t.Errorf("findings: %+v", s.Findings)
	}
}
