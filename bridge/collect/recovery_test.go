package collect_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/collect"
)

// tester is a product that also makes recovery tests.
type tester struct {
	*product
	tests []backup.RecoveryTest
	asked int
	fails error
}

func (p *tester) RecoveryTests(context.Context) (found []backup.RecoveryTest, err error) {
	p.asked++
	newest := map[string]backup.RecoveryTest{}
	for _, t := range p.tests {
		if t.End.After(p.now) {
			continue
		}
		if key := t.Device + t.Way.Key; t.End.After(newest[key].End) {
			newest[key] = t
		}
	}
	for _, t := range newest {
		found = append(found, t)
	}
	return found, p.fails
}

// testWorld is a world whose product makes recovery tests of its devices.
func testWorld(t *testing.T, opts func(*collect.Options)) (*world, *tester) {
	p := &tester{}
	w := newWorld(t, func(o *collect.Options) {
		if p.product != nil {
			o.Sources, o.Recovery = []collect.Source{p}, true
		}
		if opts != nil {
			opts(o)
		}
	})
	p.product = w.product
	w.restart()
	return w, p
}

// test adds a recovery test of a device that ended then.
func (p *tester) test(d backup.Device, end time.Time, boot backup.Status) {
	part := func(key string, s backup.Status) backup.Session {
		return backup.Session{Source: backup.DataSource{Key: key, Name: key}, State: backup.Ended, Status: s, Result: s.String(), ErrorCount: 2}
	}
	p.tests = append(p.tests, backup.RecoveryTest{Device: d.Key(), End: end, Backup: end.Add(-3 * time.Hour), Parts: []backup.Session{part("recovery", backup.Success), part("boot", boot)}})
}

func (w *world) source() collect.Source { return w.Sources[0] }

// sweep polls every device.
func (w *world) sweep() collect.Polled {
	w.Helper()
	p, err := w.Poll(context.Background(), w.source(), true, false)
	if err != nil {
		w.Fatal(err)
	}
	return p
}

func TestRecoveryTestIsAJobOfItsOwn(t *testing.T) {
	w, p := testWorld(t, nil)
	d := w.device("1", "Files 01:00-01:30")
	p.test(d, w.at("30:00"), backup.Failed)
	p.test(d, w.at("200:00"), backup.Success)
	w.advanceBoth(time.Hour)
	w.sweep()
	w.want()
	for range 3 {
		w.advanceBoth(31 * time.Hour)
		w.sweep()
		w.sweep()
	}
	w.want("Success srv1", "Failed srv1 recovery test")
	w.advanceBoth(w.at("201:00").Sub(w.now))
	w.sweep()
	w.want("Success srv1", "Failed srv1 recovery test", "Success srv1 recovery test")
	text := w.text("acme-1-20261124T060000Z-recovery-test")
	for _, part := range []string{"Backup type: Recovery test", "Job name: srv1 recovery test", "Object 2 of 2: Failed - boot", "The backup of 2026-11-24 03:00:00 +0000 was restored"} {
		if !strings.Contains(text, part) {
			t.Errorf("%q is not in the mail:\n%s", part, text)
		}
	}
	if strings.Contains(text, "No error texts") {
		t.Errorf("error texts were asked for:\n%s", text)
	}
}

// At first sight a test that ended before the baseline is on record, not mailed.
func TestOldRecoveryTestIsBaseline(t *testing.T) {
	w, p := testWorld(t, nil)
	old, recent := w.device("1", ""), w.device("2", "")
	p.test(old, w.at("01:00"), backup.Failed)
	p.test(recent, w.at("60:00"), backup.Failed)
	w.advanceBoth(72 * time.Hour)
	w.sweep()
	w.want("Failed srv2 recovery test")
	if state, err := w.State(t.Context(), "acme-1-20261123T010000Z-recovery-test"); err != nil || state != backup.EntryBaseline {
		t.Errorf("the old one is %q, %v", state, err)
	}
}

// A restart, a ledger restored from a copy and a lost one double nothing: the
// identity is the test's, and the mailbox is asked first.
func TestRecoveryTestOnce(t *testing.T) {
	w, p := testWorld(t, nil)
	d := w.device("1", "Files 01:00-01:30")
	w.advanceBoth(2 * time.Hour)
	w.sweep()
	copied := &journals{records: maps.Clone(w.records), values: maps.Clone(w.values), entries: slices.Clone(w.entries)}
	p.test(d, w.at("05:00"), backup.Success)
	w.advanceBoth(4 * time.Hour)
	w.sweep()
	w.restart()
	w.sweep()
	w.want("Success srv1", "Success srv1 recovery test")
	id := "acme-1-20261123T050000Z-recovery-test"
	entry := func() backup.Entry {
		return w.entries[slices.IndexFunc(w.entries, func(e backup.Entry) bool { return e.Run.ID == id })]
	}
	if entry().Doubt {
		t.Error("a new test is in doubt")
	}
	for name, ledger := range map[string]*journals{"restored": copied, "lost": newJournals()} {
		w.journals = ledger
		w.advanceBoth(time.Hour)
		w.restart()
		w.sweep()
		if !entry().Doubt {
			t.Errorf("%s ledger: the test is not asked for before it is sent", name)
		}
	}
}

// Two bridges on one ledger tell of a test once.
func TestRecoveryTestOfTwoBridges(t *testing.T) {
	w, p := testWorld(t, nil)
	d := w.device("1", "Files 01:00-01:30")
	w.advanceBoth(2 * time.Hour)
	w.sweep()
	first := w.Collector
	w.restart()
	p.test(d, w.at("03:00"), backup.Success)
	w.advanceBoth(2 * time.Hour)
	for range 2 {
		for _, c := range []*collect.Collector{first, w.Collector} {
			if _, err := c.Poll(t.Context(), w.source(), true, true); err != nil {
				t.Fatal(err)
			}
		}
	}
	w.want("Success srv1", "Success srv1 recovery test")
}

// One call a sweep, and none in between; a device whose test is told of is not
// looked at again.
func TestRecoveryTestsCostNothing(t *testing.T) {
	w, p := testWorld(t, nil)
	d := w.device("1", "Files 01:00-01:30")
	p.test(d, w.at("02:00"), backup.Success)
	w.advanceBoth(3 * time.Hour)
	w.sweep()
	w.advanceBoth(24 * time.Hour)
	w.sweep()
	loads, asked := w.loads, p.asked
	for range 3 {
		w.advanceBoth(time.Minute)
		if _, err := w.Poll(t.Context(), w.source(), false, false); err != nil {
			t.Fatal(err)
		}
	}
	if p.asked != asked {
		t.Errorf("%d calls between sweeps", p.asked-asked)
	}
	for range 5 {
		w.sweep()
	}
	if p.asked != asked+5 || w.loads != loads {
		t.Errorf("5 sweeps: %d calls, %d journals loaded", p.asked-asked, w.loads-loads)
	}
}

// That tests can't be read delays no run, is told, and loses no test.
func TestRecoveryTestsUnreadable(t *testing.T) {
	w, p := testWorld(t, nil)
	d := w.device("1", "Files 01:00-01:30")
	w.sweep()
	p.test(d, w.at("02:00"), backup.Warning)
	p.fails = errors.New("HTTP 503")
	tests := p.tests
	p.tests = nil
	w.advanceBoth(3 * time.Hour)
	if got := w.sweep(); got.TestsErr == nil {
		t.Error("not told")
	}
	w.want("Success srv1")
	p.fails, p.tests = nil, tests
	w.advanceBoth(80 * time.Hour)
	w.sweep()
	if got := w.sweep(); got.TestsErr != nil {
		t.Error(got.TestsErr)
	}
	w.want("Success srv1", "Warning srv1 recovery test")
}

// Filters hold for tests as for the device's runs; that of data sources does not.
func TestRecoveryTestsAreFiltered(t *testing.T) {
	w, p := testWorld(t, func(o *collect.Options) {
		o.Filter = collect.Filter{Types: []string{backup.Server}, DataSources: collect.Globs{Include: []string{"Files"}}, Devices: collect.Globs{Exclude: []string{"srv2"}}}
	})
	one, two := w.device("1", "Files 01:00-01:30"), w.device("2", "")
	w.sweep()
	p.test(one, w.at("02:00"), backup.Success)
	p.test(two, w.at("02:00"), backup.Success)
	w.advanceBoth(3 * time.Hour)
	w.sweep()
	w.want("Success srv1", "Success srv1 recovery test")
}

// Ways of recovery that a device has beside each other are jobs of their own.
func TestWaysOfRecovery(t *testing.T) {
	w, p := testWorld(t, nil)
	d := w.device("1", "")
	w.sweep()
	p.test(d, w.at("02:00"), backup.Success)
	p.test(d, w.at("02:00"), backup.Failed)
	p.tests[1].Way = backup.DataSource{Key: "SELF_HOSTED", Name: "Standby image"}
	w.advanceBoth(3 * time.Hour)
	w.sweep()
	w.want("Success srv1 recovery test", "Failed srv1 recovery test / Standby image")
}
