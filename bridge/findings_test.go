package bridge_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"covebridge/bridge"
	"covebridge/bridge/backup"
	"covebridge/bridge/collect"
	"covebridge/bridge/covesim"
	"covebridge/bridge/finding"
	"covebridge/bridge/internal/realtest"
	"covebridge/bridge/status"
)

// partialSource shows only so many devices, as a login that has lost rights.
type partialSource struct {
	bridge.Source
	most *int
}

func (s partialSource) Devices(ctx context.Context, sel backup.Selection, yield func(backup.Row) error) error {
	given := 0
	return s.Source.Devices(ctx, sel, func(r backup.Row) error {
		if given++; given > *s.most {
			return nil
		}
		return yield(r)
	})
}

// What goes wrong is a finding with its cause and its remedy after one poll, in
// the ledger for everybody to read, and none when it is well again.
func TestFindings(t *testing.T) {
	realtest.Long(t, "it waits for calls that are tried again")
	t.Parallel()
	room, clock, shown := uint64(1<<40), time.Duration(0), 100
	for _, c := range []struct {
		name     string
		severity finding.Severity
		why      string
		opts     func(*bridge.Options)
		begin    func(*world, *covesim.Sim)
		end      func(*world, *covesim.Sim) // nil: it takes a new start
	}{
		{"login_refused", finding.Failed, "Cove refused the login of api-user", nil,
			func(_ *world, s *covesim.Sim) {
				s.Fault(covesim.Fault{Kind: covesim.Locked, Method: "Login"})
				s.Fault(covesim.Fault{Kind: covesim.VisaExpired})
			}, nil},
		{"polls_failing", finding.Failed, "EnumerateAccountStatistics", nil,
			func(_ *world, s *covesim.Sim) {
				s.Fault(covesim.Fault{Kind: covesim.Garbled, Method: "EnumerateAccountStatistics"})
			},
			func(_ *world, s *covesim.Sim) { s.ClearFaults() }},
		{"history_unreadable", finding.Warning, "2 devices; ", nil,
			func(w *world, s *covesim.Sim) {
				for _, method := range []string{"QuerySessions", "EnumerateSessions"} {
					s.Fault(covesim.Fault{Kind: covesim.Denied, Method: method})
				}
				w.pollSim(s, 24*time.Hour)
			},
			func(w *world, s *covesim.Sim) { s.ClearFaults(); w.pollSim(s, 3*time.Hour) }},
		{"disk_full", finding.Failed, "1 MB are free in /ledger",
			nil, func(*world, *covesim.Sim) { room = 1_000_000 }, func(*world, *covesim.Sim) { room = 1 << 40 }},
		{"disk_nearly_full", finding.Warning, "400 MB are free in /ledger",
			nil, func(*world, *covesim.Sim) { room = 400_000_000 }, func(*world, *covesim.Sim) { room = 1 << 40 }},
		{"clock_off", finding.Warning, "behind Cove's", nil,
			func(*world, *covesim.Sim) { clock = -time.Hour },
			func(*world, *covesim.Sim) { clock = 0 }},
		{"devices_missing", finding.Failed, "1 are shown, 3 were before", nil,
			func(*world, *covesim.Sim) { shown = 1 },
			func(*world, *covesim.Sim) { shown = 100 }},
		{"devices_missing", finding.Failed, "none is shown",
			func(*bridge.Options) { shown = 0 }, func(*world, *covesim.Sim) {},
			func(*world, *covesim.Sim) { shown = 100 }},
		{"nothing_passes", finding.Failed, `filter.customers`,
			func(o *bridge.Options) { o.Collect.Filter.Customers = collect.Globs{Include: []string{"Nobody*"}} },
			func(w *world, s *covesim.Sim) { w.pollSim(s, 12*time.Hour) }, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			room, clock, shown = 1<<40, 0, 100
			w, sim := simWorld(t, covesim.Options{Seed: 1, Devices: 3, Without: covesim.LongRuns | covesim.Wedged}, func(o *bridge.Options) {
				o.Name, o.Disks = "host:1", []string{"/ledger"}
				o.Free = func(string) (uint64, error) { return room, nil }
				o.Sources[0] = partialSource{o.Sources[0], &shown}
				now := o.Collect.Now
				o.Collect.Now = func() time.Time { return now().Add(clock) }
				if c.opts != nil {
					c.opts(o)
				}
			})
			poll := func() (f finding.Finding, on bool) {
				t.Helper()
				_, _ = w.Once(t.Context()) // the finding tells
				s, err := status.Read(t.Context(), w.Ledger, w.clock, time.UTC)
				if err != nil {
					t.Fatal(err)
				}
				for _, f := range s.Findings {
					if f.Name == c.name {
						return f, true
					}
				}
				return f, false
			}
			if c.opts == nil {
				if f, on := poll(); on {
					t.Fatalf("before: %v", f)
				}
			}
			c.begin(w, sim)
			f, on := poll()
			if !on || f.Severity != c.severity || !strings.Contains(f.Why, c.why) || f.Remedy == "" || f.Since.IsZero() {
				t.Errorf("got %+v (%v)", f, on)
			}
			if c.end != nil {
				c.end(w, sim)
				if f, on := poll(); on {
					t.Errorf("after: %v", f)
				}
			}
		})
	}
}
