package cove

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/covesim"
)

// simulated gives a client of a simulated Cove.
func simulated(t testing.TB, sim *covesim.Sim, change ...func(*Options)) *Client {
	t.Helper()
	o := Options{
		Name: "msp", URL: "http://sim/jsonapi", ReportingURL: "http://sim/reporting_api", NodeURL: "http://sim/node/HOST/repserv_json",
		Username: "api-user", Password: "covesim", Rate: 1e6, Now: sim.Now, Transport: handlerTransport{sim},
	}
	for _, c := range change {
		c(&o)
	}
	return New(o)
}

var simStart = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// Statistics of every device, with every oddity there is, tell the newest
// session of each data source as it really was.
func TestStatisticsEqualTruth(t *testing.T) {
	sim := covesim.New(covesim.Options{Seed: 7, Devices: 200, Start: simStart})
	c := simulated(t, sim, func(o *Options) { o.PageSize = 60 })
	snapshots := all(t, c, backup.Selection{})
	if len(snapshots) != 200 {
		t.Fatalf("%d devices", len(snapshots))
	}
	type key struct {
		device, source string
	}
	newest := map[key]covesim.Session{}
	for _, s := range sim.Truth() {
		newest[key{strconv.FormatInt(s.DeviceID, 10), s.Source}] = s
	}
	types := map[string]string{}
	for _, d := range sim.Devices() {
		types[strconv.FormatInt(d.ID, 10)] = d.Type
	}
	compared := 0
	for _, snap := range snapshots {
		if snap.Device.Type != types[snap.Device.ID] && len(snap.Sessions) > 0 {
			t.Errorf("%s: type %s, want %s", snap.Device.ID, snap.Device.Type, types[snap.Device.ID])
		}
		last := map[string]backup.Session{}
		for _, s := range snap.Sessions {
			last[s.Source.Key] = s
		}
		for source, s := range last {
			want := newest[key{snap.Device.ID, source}]
			running := want.End.IsZero()
			if running != (s.State == backup.Running) && want.Status != covesim.Restarted {
				t.Errorf("%s %s: %+v, want %+v", snap.Device.ID, source, s, want)
			}
			if !running && want.Status != covesim.Restarted {
				compared++
				if !s.End.Equal(want.End) || s.Start.Sub(want.Start).Abs() > time.Minute || s.Result != (status{number: int64(want.Status)}).String() {
					t.Errorf("%s %s: %+v, want %+v", snap.Device.ID, source, s, want)
				}
			}
		}
	}
	for k, s := range newest {
		found := false
		for _, snap := range snapshots {
			for _, x := range snap.Sessions {
				found = found || snap.Device.ID == k.device && x.Source.Key == k.source
			}
		}
		if !found {
			t.Errorf("nothing told of %+v", s)
		}
	}
	if compared < 200 {
		t.Errorf("only %d sessions compared", compared)
	}
}

// The history of every device, with every oddity there is, holds exactly the
// sessions that were.
func TestHistoryEqualsTruth(t *testing.T) {
	sim := covesim.New(covesim.Options{Seed: 8, Devices: 60, Start: simStart})
	c := simulated(t, sim)
	since := simStart.Add(-3 * 24 * time.Hour)
	truth := map[string]map[string]covesim.Session{}
	for _, s := range sim.Truth() {
		id := strconv.FormatInt(s.DeviceID, 10)
		if truth[id] == nil {
			truth[id] = map[string]covesim.Session{}
		}
		truth[id][strconv.FormatInt(s.ID, 10)] = s
	}
	compared := 0
	for _, snap := range all(t, c, backup.Selection{}) {
		d, back := snap.Device, lookBack
		if d.Type == backup.Microsoft365 {
			back = lookBackM365
		}
		sessions, err := c.Sessions(context.Background(), d, since, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Errors(context.Background(), d, sessions); err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, s := range sessions {
			want, ok := truth[d.ID][s.ID]
			if !ok || seen[s.ID] || want.Source != s.Source.Key {
				t.Fatalf("%s: %+v is no backup, or twice; want %+v", d.ID, s, want)
			}
			seen[s.ID] = true
			compared++
			if s.Start.Sub(want.Start).Abs() > time.Hour || !s.Approx && (!s.Start.Equal(want.Start) || !s.End.Equal(want.End)) ||
				s.Result != (status{number: int64(want.Status)}).String() {
				t.Errorf("%s: %+v, want %+v", d.ID, s, want)
			}
			if s.State == backup.Ended {
				checkErrors(t, d, s, want)
			}
		}
		for id, want := range truth[d.ID] {
			if !want.Start.Before(since.Add(-back)) && !seen[id] && (d.Type != backup.Microsoft365 || !want.End.IsZero()) {
				t.Errorf("%s: session %+v is missing", d.ID, want)
			}
		}
	}
	if compared < 500 {
		t.Errorf("only %d sessions compared", compared)
	}
}

// checkErrors compares the error texts of a session with the truth.
func checkErrors(t *testing.T, d backup.Device, s backup.Session, want covesim.Session) {
	t.Helper()
	if len(want.Errors) == 0 {
		return
	}
	errs := s.Errors
	if s.ErrorsMissing != "" {
		t.Fatal(s.ErrorsMissing)
	}
	type line struct{ text, file string }
	told := map[line]int64{}
	var count, wanted int64
	for _, e := range errs {
		told[line{e.Text, e.File}] += e.Count
		count += e.Count
	}
	for _, e := range want.Errors {
		wanted += e.Count
		for _, file := range e.Files {
			if d.Type == backup.Microsoft365 {
				wanted -= e.Count - int64(len(e.Files)) // a row for each item
				if told[line{e.Text, file}] == 0 && told[line{e.Text, file + " /Inbox"}] == 0 {
					t.Errorf("%s: no %q of %q in %+v", d.ID, e.Text, file, errs)
				}
			} else if told[line{e.Text, file}] == 0 {
				t.Errorf("%s: no %q of %q in %+v", d.ID, e.Text, file, errs)
			}
		}
	}
	if d.Type != backup.Microsoft365 && count != wanted {
		t.Errorf("%s: %d errors, want %d", d.ID, count, wanted)
	}
}

// Faults come and go; what is read is the same.
func TestThroughFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := covesim.New(covesim.Options{Seed: 9, Devices: 50, Start: simStart})
		c := simulated(t, sim, func(o *Options) { o.PageSize = 5 })
		for _, kind := range []covesim.FaultKind{
			covesim.VisaExpired, covesim.Throttled, covesim.Broken, covesim.CutOff, covesim.Garbled, covesim.HTML, covesim.Unreachable,
		} {
			sim.ClearFaults()
			sim.Fault(covesim.Fault{Kind: kind, Probability: 0.2, Method: "EnumerateAccountStatistics"})
			sim.Fault(covesim.Fault{Kind: kind, Count: 1})
			// A visa that is expired twice in a row ends the call: that is all that
			// may fail, and the next poll mends it.
			for try := 1; ; try++ {
				n := 0
				err := c.Devices(context.Background(), backup.Selection{}, func(backup.Row) error { n++; return nil })
				if err == nil && n == 50 {
					break
				}
				if kind != covesim.VisaExpired || try == 20 {
					t.Errorf("%s: %d devices, %v", kind, n, err)
					break
				}
			}
			sim.ExpireVisas()
		}
	})
}

// A login that Cove locks is not tried a second time.
func TestLockedAtSimulator(t *testing.T) {
	sim := covesim.New(covesim.Options{Start: simStart})
	c := simulated(t, sim, func(o *Options) { o.Password = "wrong" })
	for range 3 {
		if _, err := c.Clock(context.Background()); !errors.Is(err, backup.ErrRefused) {
			t.Error(err)
		}
	}
	if n := sim.Calls("Login"); n != 1 {
		t.Errorf("%d logins", n)
	}
}

// A node that is out of reach means no history for its devices, and for no others.
func TestUnreachableNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := covesim.New(covesim.Options{Seed: 4, Start: simStart})
		c := simulated(t, sim)
		var host string
		hosts := map[string]string{}
		for _, d := range sim.Devices() {
			hosts[strconv.FormatInt(d.ID, 10)] = d.Host
			if d.Type == backup.Server {
				host = d.Host
			}
		}
		sim.Fault(covesim.Fault{Kind: covesim.Unreachable, Host: host})
		there, gone := 0, 0
		for _, s := range all(t, c, backup.Selection{}) {
			_, err := c.Sessions(context.Background(), s.Device, simStart.Add(-time.Hour), time.Time{})
			if wanted := hosts[s.Device.ID] == host && s.Device.Type != backup.Microsoft365; wanted != errors.Is(err, backup.ErrNoHistory) {
				t.Errorf("%s: %v", s.Device.ID, err)
			}
			if err != nil {
				gone++
			} else {
				there++
			}
		}
		if there == 0 || gone == 0 {
			t.Errorf("%d there, %d gone", there, gone)
		}
	})
}
