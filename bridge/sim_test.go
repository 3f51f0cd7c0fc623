package bridge_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"covebridge/bridge"
	"covebridge/bridge/backup"
	"covebridge/bridge/cove"
	"covebridge/bridge/covesim"
	"covebridge/bridge/internal/realtest"
)

// simWorld is a bridge between a simulated Cove and a mailbox in memory.
func simWorld(t *testing.T, o covesim.Options, opts func(*bridge.Options)) (*world, *covesim.Sim) {
	o.Start = epoch
	sim := covesim.New(o)
	server := httptest.NewServer(sim)
	t.Cleanup(server.Close)
	w := newWorld(t, func(b *bridge.Options) {
		b.Collect.Now = sim.Now
		b.Sources = []bridge.Source{cove.New(cove.Options{
			Name: "sim", URL: server.URL + "/jsonapi", ReportingURL: server.URL + "/reporting_api", NodeURL: server.URL + "/node/HOST/repserv_json",
			Username: "api-user", Password: "covesim", Rate: 100000, Concurrency: 4, PageSize: 10, Now: sim.Now,
		})}
		if opts != nil {
			opts(b)
		}
	})
	return w, sim
}

// pollSim moves the simulator's clock, polls and delivers.
func (w *world) pollSim(sim *covesim.Sim, step time.Duration) {
	w.Helper()
	sim.Advance(step)
	w.clock = w.clock.Add(step)
	if _, err := w.Once(context.Background()); err != nil {
		w.Fatal(err)
	}
}

// outcome is the status that the design gives to a number of Cove's.
func outcome(s covesim.Session) backup.Status {
	switch s.Status {
	case covesim.Completed:
		if s.ErrorsCount > 0 {
			return backup.Warning
		}
		return backup.Success
	case 2, 3, 6, 7, 10, 13:
		return backup.Failed
	default:
		return backup.Warning
	}
}

// compareSim checks that each session that ended in the span is told of in one
// mail, with its status and its error texts.
func (w *world) compareSim(sim *covesim.Sim, since, until time.Time) (compared int) {
	w.Helper()
	arrived := w.count()
	for id, n := range arrived {
		if n != 1 {
			w.Errorf("%s arrived %d times", id, n)
		}
	}
	type told struct {
		backup.Session
		run string
	}
	known := map[string]told{}
	for _, e := range w.runs() {
		if e.Run.Kind == backup.Whole && e.State == backup.EntrySent {
			for _, s := range e.Run.Sessions {
				key := fmt.Sprint(e.Run.Device.ID, s.Source.Key, s.ID)
				if was, twice := known[key]; twice {
					w.Errorf("session %s is in %s and in %s", key, was.run, e.Run.ID)
				}
				known[key] = told{s, e.Run.ID}
			}
		}
	}
	for _, s := range sim.Ended(since, until) {
		k, found := known[fmt.Sprint(s.DeviceID, s.Source, s.ID)]
		name := fmt.Sprintf("session %d of %s %s, %s to %s", s.ID, s.Device, s.Source, s.Start, s.End)
		switch text := w.texts[k.run+"@covebridge"]; {
		case !found && s.Status == covesim.Restarted: // another took its place
		case !found:
			w.Errorf("%s is not known", name)
		case arrived[k.run+"@covebridge"] != 1:
			w.Errorf("%s is in run %q, which arrived %d times", name, k.run, arrived[k.run+"@covebridge"])
		case k.Status != outcome(s):
			w.Errorf("%s: status %s, want %s for %d", name, k.Status, outcome(s), s.Status)
		case !strings.Contains(text, ": "+outcome(s).String()+" - "+k.Source.Name+"\n"):
			w.Errorf("%s: %s %s is not in\n%s", name, outcome(s), k.Source.Name, text)
		case len(s.Errors) > 0 && k.Status != backup.Success && !tells(text, s) && !strings.Contains(text, "No error texts: "):
			w.Errorf("%s: errors %+v are not in\n%s", name, s.Errors, text)
		default:
			compared++
		}
	}
	return compared
}

// tells whether the mail holds one of the session's error texts; it need not
// hold each of very many.
func tells(text string, s covesim.Session) bool {
	for _, e := range s.Errors {
		first, _, _ := strings.Cut(e.Text, "\n")
		if strings.Contains(text, strings.Join(strings.Fields(first), " ")) {
			return true
		}
	}
	return false
}

// Most of a day of a fleet with every oddity of Cove's.
func TestFleet(t *testing.T) {
	t.Parallel()
	w, sim := simWorld(t, covesim.Options{Seed: 7, Devices: realtest.Raced(40, 20)}, nil)
	w.pollSim(sim, 0)
	since := sim.Now()
	for range realtest.Raced(4*16, 4*2) {
		w.pollSim(sim, 15*time.Minute)
	}
	until := sim.Now()
	w.pollSim(sim, 26*time.Hour) // what waits for late ones goes out
	w.pollSim(sim, time.Hour)
	if n := w.compareSim(sim, since, until); n < realtest.Raced(100, 8) {
		t.Errorf("only %d sessions were compared", n)
	}
}

// Devices that run every five minutes, polls every fifteen, nodes that come and go.
func TestBusyFleet(t *testing.T) {
	t.Parallel()
	w, sim := simWorld(t, covesim.Options{Seed: 3, Devices: 4, Every: 5 * time.Minute, History: 30 * time.Hour, Without: covesim.Wedged | covesim.LongRuns},
		func(o *bridge.Options) { o.Collect.Baseline = 30 * time.Minute })
	w.pollSim(sim, 0)
	since := sim.Now()
	devices := sim.Devices()
	for i := range realtest.Raced(8, 3) {
		sim.ClearFaults()
		for j := range 2 * (i % 3) {
			sim.Fault(covesim.Fault{Kind: covesim.Denied, Device: devices[(i+2*j)%len(devices)].ID})
		}
		if i == 5 { // tried again
			sim.Fault(covesim.Fault{Kind: covesim.CutOff, Device: devices[2].ID})
		}
		w.pollSim(sim, 15*time.Minute)
	}
	sim.ClearFaults()
	until := sim.Now()
	for range 6 {
		w.pollSim(sim, time.Hour)
	}
	if n := w.compareSim(sim, since, until); n < realtest.Raced(100, 40) {
		t.Errorf("only %d sessions were compared", n)
	}
}
