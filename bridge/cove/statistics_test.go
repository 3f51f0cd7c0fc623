package cove

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"covebridge/bridge/backup"
)

// line tells of a session in one line.
func line(s backup.Session) string {
	text := fmt.Sprintf("%s %s %s %s %s", s.Source.Key, s.State, s.Status, s.Result, s.Start.Format(time.TimeOnly))
	if s.State == backup.Running {
		text = fmt.Sprintf("%s %s %s %s", s.Source.Key, s.State, s.Result, s.Start.Format(time.TimeOnly))
	}
	if !s.End.IsZero() {
		text += " to " + s.End.Format(time.TimeOnly)
	}
	if s.Approx {
		text += " approx"
	}
	return text
}

func lines(sessions []backup.Session) (all []string) {
	for _, s := range sessions {
		all = append(all, line(s))
	}
	return all
}

// A page with every oddity of statistics.
func TestRecordedStatistics(t *testing.T) {
	f := &fakeCove{answer: func(_ http.ResponseWriter, h recordedCall) string {
		switch h.Method {
		case "EnumerateAccountStatistics":
			return recorded(t, "statistics.json")
		case "EnumeratePartners":
			return recorded(t, "partners.json")
		}
		return ""
	}}
	var said notices
	c := f.client(func(o *Options) { o.Notice = said.add })
	got := all(t, c, backup.Selection{})
	want := map[string][]string{
		"1234567": {
			"D01 ended Success Completed (5) 00:00:00 to 01:00:00",
			"D02 ended Warning CompletedWithErrors (8) 01:01:40 to 01:11:40",
			"D10 ended Failed Failed (2) 00:55:00 to 01:20:00 approx",
			"D10 running InProcess (1) 11:00:00",
		},
		"1234568": {"D01 ended Failed Failed (2) 02:13:20 to 02:14:21"},
		"1234569": {
			"D19 ended Success Completed (5) 02:13:20 to 02:14:20",
			"D20 ended Warning Completed (5) 02:14:20 to 02:14:20",
		},
		"1234570": nil,
		"1234571": {
			"D08 ended Success Completed (5) 02:13:20 to 02:13:20 approx",
			"D15 ended Failed Blocked (13) 02:13:20 to 02:13:20",
			"D01 ended Warning Unknown status 42 02:13:20 to 02:13:30",
			"D02 ended Success Completed (5) 02:13:20 to 02:13:20 approx",
			"D06 ended Warning CompletedWithErrors (8) 02:13:20 to 02:13:20 approx",
			"D08 running InProgressWithFaults (9) 02:13:20 approx",
			"D02 ended Failed Aborted (3) 05:00:00 to 05:02:00 approx",
			"D06 restarted Warning Restarted (12) 05:00:00 to 05:00:30 approx",
			"D12 ended Failed Failed (2) 11:10:00 to 11:15:00",
		},
	}
	for _, snap := range got {
		sorted := func(list []string) []string { return slices.Sorted(slices.Values(list)) }
		if diff := cmp.Diff(sorted(want[snap.Device.ID]), sorted(lines(snap.Sessions))); diff != "" {
			t.Errorf("%s: %s", snap.Device.ID, diff)
		}
		delete(want, snap.Device.ID)
	}
	if len(want) > 0 {
		t.Errorf("missing: %v", slices.Collect(maps.Keys(want)))
	}
	d := got[0].Device
	d.ColourBar = nil
	if diff := cmp.Diff(backup.Device{
		Product: "cove", Software: "Cove Data Protection", ID: "1234567", Name: "srv01_ab12c", Computer: "SRV01",
		OS: "Windows Server 2019 Standard (17763), 64-bit", Type: backup.Server, Customer: "Acme BV", CustomerID: "55",
		CustomerPath: []string{"Resellers North", "Acme BV"}, Created: time.Unix(1700000000, 0).UTC(), UsedStorage: 123456789012,
		Reference: "C-1042", Profile: "Servers, nightly", Location: "Netherlands", Machine: "Virtual",
		Storage: backup.Storage{Cloud: backup.CopyFailed, Vault: backup.CopySynchronised},
		Console: "https://backup.management/#/backup/overview/view/1662(panel:device-properties/1234567/summary)",
		Good:    map[string]time.Time{"D02": time.Unix(1795223500, 0).UTC()},
	}, d); diff != "" {
		t.Error(diff)
	}
	for i, want := range []string{backup.Server, backup.Workstation, backup.Microsoft365, "", ""} {
		if got[i].Device.Type != want {
			t.Errorf("%s is %s, want %s", got[i].Device.ID, got[i].Device.Type, want)
		}
	}
	if p := got[2].Device.CustomerPath; strings.Join(p, "/") != "Resellers North/Acme BV/Acme Amsterdam" {
		t.Errorf("path %q", p)
	}
	if s := got[0].Sessions[0]; s.SelectedCount != 900000 || s.ProcessedBytes != 5000000000 || s.SentBytes != 700000000 {
		t.Errorf("counts of %+v", s)
	}
	odd := got[4]
	if odd.Device.UsedStorage != backup.Unknown {
		t.Errorf("used storage %d", odd.Device.UsedStorage)
	}
	for _, s := range odd.Sessions {
		if s.Source.Key == "D01" && (s.SelectedCount != backup.Unknown || s.SelectedBytes != backup.Unknown) {
			t.Errorf("counts of %+v", s)
		}
	}
	if future := said.list(); len(future) != 1 || !strings.Contains(future[0], "odd_00000") {
		t.Errorf("said %q", future)
	}
}

// Shapes that some clients saw.
func TestStatisticsInOtherShapes(t *testing.T) {
	for name, want := range map[string][]string{
		"statistics-data.json": {"1234567 srv01_ab12c a=b [D01 ended Success Completed (5) 00:00:00 to 01:00:00]", "1234568 admin-pc_fq8hm  []"},
		"statistics-lone.json": {"7 x  [D01 ended Success Completed (5) 01:00:00 to 01:00:00]", "8 y  []"},
	} {
		f := &fakeCove{answer: func(_ http.ResponseWriter, h recordedCall) string {
			if h.Method == "EnumerateAccountStatistics" {
				return recorded(t, name)
			}
			return ""
		}}
		var got []string
		for _, s := range all(t, f.client(), backup.Selection{}) {
			got = append(got, fmt.Sprint(s.Device.ID, " ", s.Device.Name, " ", s.Device.Alias, " ", lines(s.Sessions)))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// A running session's counts and duration are taken for its own only if the
// duration is as long as it runs.
func TestWhoseCountsWhileRunning(t *testing.T) {
	f := &fakeCove{}
	c := f.client()
	at := testNow
	row := func(took string) deviceRow {
		r := deviceRow{id: 1, columns: map[string]value{}}
		for name, text := range map[string]string{
			"D01F00": "1", "D01F17": "5", "D01F18": "1795400000", "D01F15": "1795431600", "D01F12": took, "D01F01": "7", "D01F06": "1",
		} {
			r.columns[name] = value{text, true}
		}
		return r
	}
	before := c.lastSessions(row("600"), 1, backup.Device{}, at)
	if before[0].SelectedCount != 7 || before[0].Status != backup.Warning || before[1].SelectedCount != backup.Unknown {
		t.Errorf("those of the one before: %+v", before)
	}
	own := c.lastSessions(row("3500"), 1, backup.Device{}, at)
	if own[0].SelectedCount != backup.Unknown || own[0].Status != backup.Success || own[1].SelectedCount != 7 || !own[0].Start.Equal(own[0].End) {
		t.Errorf("its own: %+v", own)
	}
}

func TestFilters(t *testing.T) {
	for since, want := range map[time.Duration]string{
		0: "", -time.Hour: "", time.Second: "TS > 1.hour().ago()", time.Hour: "TS > 1.hour().ago()", 61 * time.Minute: "TS > 2.hour().ago()",
		1<<63 - 1: "TS > 2562048.hour().ago()",
	} {
		if got := filter(backup.Selection{Since: since}); got != want {
			t.Errorf("%v: %s, want %s", since, got, want)
		}
	}
}

// A data source that no table has is found and read.
func TestUnknownSource(t *testing.T) {
	f := &fakeCove{answer: func(_ http.ResponseWriter, h recordedCall) string {
		if h.Method != "EnumerateAccountStatistics" {
			return ""
		}
		setting := ""
		if slices.Contains(h.columns(), "D27F18") {
			setting = `,{"D27F00":"5"},{"D27F17":"5"},{"D27F18":"1795400000"}`
		}
		return `{"result":{"result":[{"AccountId":1,"Settings":[{"I78":"D1D27"}` + setting + `]}]}}`
	}}
	got := all(t, f.client(), backup.Selection{})
	if len(got) != 1 || len(got[0].Sessions) != 1 || got[0].Sessions[0].Source != (backup.DataSource{Key: "D27", Name: "D27"}) {
		t.Errorf("%+v", got)
	}
}

// Clock is Cove's clock before the data was read.
func TestClock(t *testing.T) {
	now := testNow
	f := &fakeCove{answer: func(w http.ResponseWriter, h recordedCall) string {
		if h.Method != "EnumerateAccountStatistics" {
			return ""
		}
		now = now.Add(3 * time.Second)
		w.Header().Set("Date", testNow.Add(time.Hour).Format(http.TimeFormat))
		return `{"result":{"result":[` + plainRow(1) + `]}}`
	}}
	c := f.client(func(o *Options) { o.Now = func() time.Time { return now } })
	if clock, err := c.Clock(context.Background()); err != nil || !clock.Equal(testNow.Add(time.Hour-4*time.Second)) {
		t.Errorf("clock %v, %v", clock, err)
	}
}

// Whatever name the columns come back by, they are the same.
func TestCanonical(t *testing.T) {
	for want, spellings := range map[string][]string{
		"D01F00": {"F0", "F00", "D1F0", "D01F00", "d1f00"}, "D01F06": {"F7", "D1F6", "F06"}, "D01F07": {"F6", "F07"},
		"D09F00": {"T0", "D9F0"}, "D09F08": {"TB"}, "D09F09": {"TL"}, "D10F12": {"ZA"}, "D01F21": {"F@"}, "D19F15": {"GG"},
		"D20F18": {"JO", "D20F18"}, "D01F10": {"F8", "F10"}, "D02F16": {"SQ"}, "D27F00": {"D27F0"}, "D05F00": {"D5F00"},
		"I0": {"AU", "I0", "I00"}, "I1": {"AN", "I1", "I01", "an"}, "I78": {"AP", "I78"}, "I59": {"AT"}, "I6": {"TS"}, "I12": {"AG"},
		"I56": {"OP"}, "I37": {"YV"}, "WHAT": {"what"}, "": {""}, "I123": {"I123"},
	} {
		for _, name := range spellings {
			if got := canonical(name); got != want {
				t.Errorf("%s is %s, want %s", name, got, want)
			}
		}
	}
}
