package bridge_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"covebridge/bridge"
	"covebridge/bridge/backup"
	"covebridge/bridge/covesim"
)

// Once a day each customer's digest lists the jobs whose newest run did not
// succeed, and no other, each with its errors; a customer without such jobs gets
// none, and a second look at the same day sends nothing again.
func TestDigest(t *testing.T) {
	clock := epoch
	w, sim := simWorld(t, covesim.Options{Seed: 5, Devices: 30, Without: covesim.LongRuns | covesim.Wedged}, func(o *bridge.Options) {
		o.Name, o.Digest = "host:1", 24*time.Hour
		o.Now = func() time.Time { return clock }
		o.Collect.Filter.Statuses = []backup.Status{backup.Failed, backup.Warning} // a success that is not mailed clears a failure all the same
	})
	pass := func(d time.Duration) {
		clock = clock.Add(d)
		w.pollSim(sim, d)
	}
	pass(time.Minute)
	pass(12 * time.Hour)
	pass(11 * time.Hour)
	if got := w.mailsOf(backup.Digest); len(got) != 0 {
		t.Fatalf("in the first period: %q", got)
	}
	pass(time.Hour)
	midnight := clock.Truncate(24 * time.Hour)
	pass(10 * time.Minute)

	newest, customers := map[string]backup.Run{}, map[string][]backup.Run{}
	for _, e := range w.runs() { // the newest first
		if _, known := newest[e.Run.Job]; !known && e.State != backup.EntryBaseline && e.Run.Kind != backup.Digest && e.Run.End.Before(midnight) {
			newest[e.Run.Job] = e.Run
			if e.Run.Status != backup.Success {
				customers[e.Run.Device.Customer] = append(customers[e.Run.Device.Customer], e.Run)
			}
		}
	}
	got := w.mailsOf(backup.Digest)
	if len(customers) < 2 || len(customers) == len(newest) || len(got) != len(customers) {
		t.Fatalf("%d digests of %d customers with trouble among %d jobs", len(got), len(customers), len(newest))
	}
	for customer, runs := range customers {
		i := slices.IndexFunc(got, func(text string) bool { return strings.Contains(text, "\nJob name: "+customer+" digest\n") })
		if i < 0 {
			t.Errorf("no digest of %s", customer)
			continue
		}
		if n := strings.Count(got[i], "\nObject "); n != len(runs) {
			t.Errorf("%s: %d jobs, want %d", customer, n, len(runs))
		}
		for _, r := range runs {
			if line := fmt.Sprintf(": %s - %s\n", r.Status, r.Job); !strings.Contains(got[i], line) {
				t.Errorf("no %q in %s", line, got[i])
			}
			for _, s := range r.Sessions {
				if len(s.Errors) > 0 && !strings.Contains(got[i], "  Error: "+s.Source.Name+": "+strings.Fields(s.Errors[0].Text)[0]) {
					t.Errorf("no error of %s in %s", r.ID, got[i])
				}
			}
		}
	}
	w.restart()
	pass(time.Hour)
	if again := w.mailsOf(backup.Digest); len(again) != len(got) {
		t.Errorf("%d digests more", len(again)-len(got))
	}
}
