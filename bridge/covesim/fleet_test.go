package covesim

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestSameSeedSameStory(t *testing.T) {
	tell := func(seed uint64, advance ...time.Duration) (*Sim, []Session) {
		s := New(Options{Seed: seed, Start: monday})
		for _, d := range advance {
			s.Advance(d)
			s.Truth()
		}
		return s, s.Truth()
	}
	a, one := tell(7, 48*time.Hour)
	b, two := tell(7, time.Hour, 40*time.Hour, 7*time.Hour)
	if !reflect.DeepEqual(a.Devices(), b.Devices()) || !reflect.DeepEqual(one, two) {
		t.Error("the same seed tells two stories")
	}
	_, other := tell(8, 48*time.Hour)
	if reflect.DeepEqual(one, other) {
		t.Error("another seed tells the same story")
	}
}

// What has ended never changes again, and what runs ends as itself.
func TestHistoryStands(t *testing.T) {
	s := New(Options{Start: monday, History: 3 * day})
	key := func(x Session) string { return fmt.Sprint(x.DeviceID, "/", x.ID) }
	before := map[string]Session{}
	for range 30 {
		after := map[string]Session{}
		for _, x := range s.Truth() {
			after[key(x)] = x
		}
		for k, x := range before {
			now, there := after[k]
			if !there || now.Source != x.Source || !now.Start.Equal(x.Start) || !x.End.IsZero() && !reflect.DeepEqual(x, now) {
				t.Fatalf("%+v became %+v", x, now)
			}
		}
		before = after
		s.Advance(47 * time.Minute)
	}
}

func TestSessionsAreInOrder(t *testing.T) {
	for name, o := range map[string]Options{
		"schedules": {Start: monday, Devices: 120, History: 20 * day},
		"every 5m":  {Start: monday, Devices: 40, History: 8 * time.Hour, Every: 5 * time.Minute},
		"every 1m":  {Start: monday, Devices: 40, History: time.Hour, Every: time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			s := New(o)
			s.Advance(o.History)
			lastID := map[int64]int64{}
			lastStart := map[int64]time.Time{}
			lastEnd := map[string]time.Time{}
			for _, x := range s.Truth() {
				source := fmt.Sprint(x.DeviceID, x.Source)
				if x.ID <= lastID[x.DeviceID] || x.Start.Before(lastStart[x.DeviceID]) {
					t.Fatalf("out of order: %+v", x)
				}
				if x.Start.Before(lastEnd[source]) {
					t.Fatalf("%+v began before the one before had ended, at %v", x, lastEnd[source])
				}
				if !x.End.IsZero() && x.End.Before(x.Start) || x.Start.Nanosecond() != 0 || x.End.Nanosecond() != 0 {
					t.Fatalf("times of %+v", x)
				}
				lastID[x.DeviceID], lastStart[x.DeviceID], lastEnd[source] = x.ID, x.Start, x.End
				if x.End.IsZero() {
					lastEnd[source] = s.Now().Add(time.Second)
				}
			}
		})
	}
}

func TestFleetShowsEverything(t *testing.T) {
	s := New(Options{Start: monday})
	var quirks Quirk
	names, types, statuses, sources := map[string]bool{}, map[string]int{}, map[int]bool{}, map[string]bool{}
	for _, d := range s.Devices() {
		quirks |= d.Quirks
		names[d.Name] = true
		types[d.Type]++
	}
	if want := shapes | Hostile | NeverRan | UnknownStatus | UnknownSource | Restarts | LongRuns | Wedged | Silent | Shrinking | Restores | VaultOnly | CloudStands; quirks != want {
		t.Errorf("quirks %b, want %b", quirks, want)
	}
	if len(names) != 40 || types["Server"] < 15 || types["Workstation"] < 5 || types["Microsoft 365"] < 5 {
		t.Errorf("%d names, types %v", len(names), types)
	}
	errorTexts := 0
	for _, x := range s.Truth() {
		statuses[x.Status], sources[x.Source] = true, true
		if sum := slices.IndexFunc(x.Errors, func(e Error) bool { return len(e.Files) != int(e.Count) }); sum >= 0 {
			t.Errorf("error %+v", x.Errors[sum])
		}
		errorTexts += len(x.Errors)
	}
	for _, status := range []int{InProcess, Failed, Aborted, Unknown, Completed, Interrupted, NotStarted, CompletedWithErrors, OverQuota, NoSelection, Restarted, Blocked, undocumented} {
		if !statuses[status] {
			t.Errorf("no session has status %d", status)
		}
	}
	if !sources["D27"] || !sources["D19"] || sources["D09"] || errorTexts == 0 {
		t.Errorf("sources %v, %d errors", sources, errorTexts)
	}
}

func TestPlainFleetHasNoOddities(t *testing.T) {
	for _, d := range New(Options{Start: monday, Without: AllQuirks}).Devices() {
		if d.Quirks != 0 || strings.ContainsAny(d.Name, "<\r\n\"") {
			t.Errorf("%+v", d)
		}
	}
}

func TestHugeNamesOnlyWhenAsked(t *testing.T) {
	longest := func(o Options) (n int) {
		for _, d := range New(o).Devices() {
			n = max(n, len(d.Name))
		}
		return n
	}
	if n := longest(Options{}); n > 200 {
		t.Errorf("a name of %d bytes", n)
	}
	if n := longest(Options{HugeNames: true}); n < 10_000 {
		t.Errorf("the longest name has %d bytes", n)
	}
}

func TestEndedIsTruthByEnd(t *testing.T) {
	s := New(Options{Start: monday})
	s.Advance(day)
	got := s.Ended(monday, monday.Add(day))
	n := 0
	for _, x := range s.Truth() {
		if x.End.After(monday) {
			n++
		}
		if x.Restore {
			t.Errorf("restore %+v", x)
		}
	}
	if len(got) != n || n < 40 {
		t.Errorf("%d sessions ended, want %d", len(got), n)
	}
}

func TestSilentAndNeverRan(t *testing.T) {
	s := New(Options{Start: monday})
	s.Advance(5 * day)
	newest := map[int64]time.Time{}
	for _, x := range s.Truth() {
		newest[x.DeviceID] = x.Start
	}
	for _, d := range s.Devices() {
		last, ran := newest[d.ID]
		if d.Quirks&NeverRan != 0 && ran {
			t.Errorf("%s ran", d.Name)
		}
		if d.Quirks&Silent != 0 && last.After(monday.Add(-24*time.Hour)) {
			t.Errorf("%s is not silent: %v", d.Name, last)
		}
	}
}
