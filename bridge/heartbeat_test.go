package bridge_test

import (
	"strings"
	"testing"
	"time"

	"covebridge/bridge"
	"covebridge/bridge/backup"
	"covebridge/bridge/covesim"
)

// mailsOf gives the mails of a kind, in their order: subject and text.
func (w *world) mailsOf(kind backup.Kind) (texts []string) {
	w.box.mu.Lock()
	defer w.box.mu.Unlock()
	for _, id := range w.box.mails {
		if strings.HasSuffix(id, "-"+string(kind)+"@covebridge") {
			texts = append(texts, w.box.texts[id])
		}
	}
	return texts
}

// One mail a day tells how covebridge is; the worst that goes wrong makes one at
// once, with its cause and its remedy, and another one tells that it is over.
func TestHeartbeat(t *testing.T) {
	clock := epoch // midnight, UTC
	zone := time.FixedZone("CET", 3600)
	room := uint64(1 << 40)
	w, sim := simWorld(t, covesim.Options{Seed: 1, Devices: 2, Without: covesim.LongRuns | covesim.Wedged}, func(o *bridge.Options) {
		o.Name, o.Heartbeat, o.Location = "host:1", 24*time.Hour, zone
		o.Now = func() time.Time { return clock }
		o.Disks, o.Free = []string{"/ledger"}, func(string) (uint64, error) { return room, nil }
	})
	pass := func(d time.Duration) {
		clock = clock.Add(d)
		w.clock = clock
	}
	want := func(what string, n int, parts ...string) {
		t.Helper()
		_, _ = w.Once(t.Context()) // what goes wrong is in the mail
		got := w.mailsOf(backup.Heartbeat)
		if len(got) != n {
			t.Fatalf("%s: %d heartbeats, want %d: %q", what, len(got), n, got)
		}
		for _, p := range parts {
			if !strings.Contains(got[n-1], p) {
				t.Errorf("%s: no %q in %s", what, p, got[n-1])
			}
		}
	}
	want("first start", 1, "[Cove] Success: covebridge", "Backup type: Heartbeat", "nothing is wrong with it",
		"of 3: Success - Cove account sim", "2 devices, polled", "of 3: Success - Mailbox")
	want("the same day", 1)
	pass(22*time.Hour + 59*time.Minute)
	want("before midnight in the zone", 1)
	pass(2 * time.Minute)
	want("after it", 2, "[Cove] Success: covebridge")

	room = 1_000_000
	pass(time.Minute)
	want("a full disk", 3, "[Cove] Failed: covebridge", "of 3: Failed - covebridge itself", "the disk is full: 1 MB are free in /ledger - free some space")
	pass(time.Minute)
	want("while it lasts", 3)
	room = 1 << 40
	pass(30 * time.Minute)
	want("over, within the hour", 3)
	pass(30 * time.Minute)
	want("over", 4, "[Cove] Success: covebridge")
	pass(24 * time.Hour)
	want("the next day", 5)

	sim.Fault(covesim.Fault{Kind: covesim.Locked, Method: "Login"})
	sim.Fault(covesim.Fault{Kind: covesim.VisaExpired})
	want("a refused login", 6, "[Cove] Failed: covebridge", "of 3: Failed - Cove account sim", "the login is refused")
	for id, n := range w.count() {
		if n != 1 {
			t.Errorf("%s came %d times", id, n)
		}
	}

	// A ledger's next bridge goes on from there.
	w.restart()
	want("after a restart", 6)
}
