package cove

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/covesim"
)

// recoveryCove is a fake Cove with these replies to the pages of recovery tests.
func recoveryCove(status int, pages ...string) *fakeCove {
	n := 0
	return &fakeCove{answer: func(w http.ResponseWriter, h recordedCall) string {
		if h.Method != "GET" {
			return ""
		}
		w.WriteHeader(status)
		n++
		return pages[n-1]
	}}
}

func TestRecoveryTests(t *testing.T) {
	f := recoveryCove(200, recorded(t, "recovery.json"))
	tests, err := f.client().RecoveryTests(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, x := range tests {
		line := fmt.Sprintf("%s %q %q %s of %s:", x.Device, x.Way.Key, x.Plan, x.End.Format(time.RFC3339), x.Backup.Format(time.RFC3339))
		for _, p := range x.Parts {
			line += fmt.Sprintf(" %s %s (%s) %d %v;", p.Source.Name, p.Status, p.Result, p.ErrorCount, p.End.Sub(p.Start))
		}
		got = append(got, line)
	}
	want := []string{
		`cove-1234567 "" "Every 14 days" 2026-11-23T05:00:00Z of 2026-11-23T01:00:00Z: Recovery Success (Completed) 0 42m0s; Boot test Success (success) 0 0s;`,
		// The boot test is of an earlier recovery.
		`cove-1234568 "SELF_HOSTED" "" 2026-11-23T05:00:00Z of 0001-01-01T00:00:00Z: Recovery Warning (CompletedWithErrors) 3 1h0m0s;`,
		// 1234569 is at it, 1234570 never was.
		`cove-1234571 "" "" 2026-11-23T04:00:00Z of 0001-01-01T00:00:00Z: Recovery Success (Completed) 0 0s; Boot test Failed (Unresponsive) 0 0s;`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	asked := f.callsOf("GET")
	if len(asked) != 1 {
		t.Fatalf("%d calls, want 1", len(asked))
	}
	u, err := url.Parse(asked[0].Path)
	if err != nil || u.Path != recoveryPath || u.Query().Get("filter[partner_materialized_path.contains]") != "/139124/" || u.Query().Get("limit") != "100" {
		t.Errorf("asked for %v", u)
	}
	if !strings.HasPrefix(asked[0].Bearer, "Bearer "+testVisa) {
		t.Errorf("Authorization: %q", asked[0].Bearer)
	}
}

// An account that has not bought recovery testing has none, without a word.
// The words that only recoveries have, and what errors make of them.
func TestRecoveryOutcome(t *testing.T) {
	c := New(Options{StatusMap: map[string]backup.Status{"timeout": backup.Warning}})
	for _, x := range []struct {
		told   string
		errors int64
		want   backup.Status
	}{
		{"success", 0, backup.Success}, {"Succeeded", 0, backup.Success}, {"success", 3, backup.Warning}, {"Failure", 0, backup.Failed},
		{"Unresponsive", 2, backup.Failed}, {"timeout", 0, backup.Warning}, {"5", 0, backup.Success}, {"5", 1, backup.Warning}, {"Odd", 0, backup.Warning},
	} {
		if got := c.recoveryOutcome(value{x.told, true}, x.errors); got != x.want {
			t.Errorf("%s with %d errors: %s, want %s", x.told, x.errors, got, x.want)
		}
	}
}

func TestNoRecoveryTesting(t *testing.T) {
	f := recoveryCove(400, recorded(t, "recovery-none.json"))
	c := f.client(func(o *Options) { o.Notice = func(msg string, args ...any) { t.Errorf("notice: %s %v", msg, args) } })
	tests, err := c.RecoveryTests(t.Context())
	if err != nil || len(tests) != 0 || len(f.callsOf("GET")) != 1 {
		t.Errorf("%v, %v, %d calls", tests, err, len(f.callsOf("GET")))
	}
	if _, err := recoveryCove(403, "{}").client().RecoveryTests(t.Context()); err == nil {
		t.Error("that the user may not read them goes unsaid")
	}
}

func TestRecoveryPages(t *testing.T) {
	page := func(from, n int) string {
		var rows []string
		for i := range n {
			rows = append(rows, fmt.Sprintf(`{"attributes":{"backup_cloud_device_id":%d,"last_recovery_status":"Failed","last_recovery_timestamp":1795410000}}`, from+i))
		}
		return `{"data":[` + strings.Join(rows, ",") + `]}`
	}
	f := recoveryCove(200, page(1, 100), page(101, 100), page(201, 0))
	tests, err := f.client().RecoveryTests(t.Context())
	if err != nil || len(tests) != 200 || tests[199].Device != "cove-200" || tests[0].Parts[0].Status != backup.Failed {
		t.Errorf("%d tests, %v", len(tests), err)
	}
}

// A test that another one of its device follows at once is waited for a day at most.
func TestRecoveryAtItForDays(t *testing.T) {
	row := `{"data":[{"attributes":{"backup_cloud_device_id":1,"last_recovery_status":"Failed","current_recovery_status":"InProgress","last_recovery_timestamp":1795410000}}]}`
	f := recoveryCove(200, row)
	tests, err := f.client(func(o *Options) { o.Now = func() time.Time { return testNow.Add(48 * time.Hour) } }).RecoveryTests(t.Context())
	if err != nil || len(tests) != 1 {
		t.Errorf("%v, %v", tests, err)
	}
}

func FuzzRecoveryTest(f *testing.F) {
	var reply struct{ Data []json.RawMessage }
	if err := json.Unmarshal([]byte(recorded(f, "recovery.json")), &reply); err != nil {
		f.Fatal(err)
	}
	for _, raw := range reply.Data {
		f.Add([]byte(raw))
	}
	c := (&fakeCove{}).client()
	f.Fuzz(func(t *testing.T, text []byte) {
		var r recoveryRow
		if json.Unmarshal(text, &r) != nil {
			return
		}
		x, ok := c.recoveryTest(r)
		if ok && (x.Device == "" || x.End.IsZero() || len(x.Parts) == 0 || x.Parts[0].End.Before(x.Parts[0].Start)) {
			t.Errorf("%+v", x)
		}
	})
}

// What the simulated Cove's devices are tried for is told as it was.
func TestRecoveryTestsEqualTruth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := covesim.New(covesim.Options{Seed: 3, Devices: 900, Start: simStart})
		c := simulated(t, sim)
		words := map[string]int{}
		for range 8 {
			sim.Advance(26 * time.Hour)
			got, err := c.RecoveryTests(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			newest := map[string]covesim.RecoveryTest{}
			running := 0
			for _, x := range sim.RecoveryTests(simStart.AddDate(0, 0, -15), sim.Now().Add(2*time.Hour)) {
				key := "cove-" + strconv.FormatInt(x.DeviceID, 10)
				switch {
				case !x.End.After(sim.Now()):
					newest[key] = x
				case !x.Start.After(sim.Now()): // what came before waits
					delete(newest, key)
					running++
				}
			}
			if len(got) < 100 || len(got) > len(newest)+running {
				t.Errorf("%d tests, want %d, and up to %d of devices that are at it again", len(got), len(newest), running)
			}
			for _, x := range got {
				want, ok := newest[x.Device]
				if !ok {
					continue // of a device that is at it again for long
				}
				delete(newest, x.Device)
				words[want.Status+" "+want.Boot]++
				told := ""
				if len(x.Parts) > 1 {
					told = x.Parts[1].Result
				}
				p := x.Parts[0]
				if !x.End.Equal(want.End) || !p.Start.Equal(want.Start) || p.Result != want.Status || told != want.Boot || p.ErrorCount != want.Errors || !want.Backup.IsZero() && !x.Backup.Equal(want.Backup) {
					t.Errorf("%+v\nwant %+v", x, want)
				}
			}
			for key := range newest {
				t.Errorf("%s is missing", key)
			}
		}
		if len(words) < 4 {
			t.Errorf("only %v", words)
		}
	})
}
