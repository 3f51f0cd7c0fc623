package cove

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/covesim"
)

func TestColourBar(t *testing.T) {
	var c Client
	bar := c.colourBar("5555555055555550555555A5852?", today(testNow, value{"13", true}), time.Time{})
	if len(bar) != 28 || bar[0].Date != "2026-10-28" || bar[27].Date != "2026-11-24" {
		t.Fatalf("%+v", bar)
	}
	for i, want := range map[int]backup.Day{
		0:  {Word: "Completed", Status: backup.Success},
		7:  {},
		22: {Word: "OverQuota", Status: backup.Failed},
		24: {Word: "CompletedWithErrors", Status: backup.Warning},
		26: {Word: "Failed", Status: backup.Failed},
		27: {Word: "Unknown status ?", Status: backup.Warning},
	} {
		want.Date = bar[i].Date
		if bar[i] != want {
			t.Errorf("day %d: %+v, want %+v", i, bar[i], want)
		}
	}
	if long := c.colourBar(strings.Repeat("0", 30)+"5G", testNow, time.Time{}); len(long) != 28 || long[27].Word != "Unknown status G" || long[26].Word != "Completed" {
		t.Errorf("%+v", long)
	}
	if short := c.colourBar("58", testNow, time.Time{}); len(short) != 2 || short[1].Date != "2026-11-23" || short[1].Word != "CompletedWithErrors" {
		t.Errorf("%+v", short)
	}
	if none := c.colourBar("", testNow, time.Time{}); none != nil {
		t.Errorf("%+v", none)
	}
	for zone, want := range map[string]string{"": "2026-11-23", "-12": "2026-11-23", "99": "2026-11-23", "x": "2026-11-23", "14": "2026-11-24"} {
		if got := today(testNow, value{zone, true}).Format(time.DateOnly); got != want {
			t.Errorf("zone %q: %s", zone, got)
		}
	}
}

// Which end is today is proved by the devices whose newest session is some
// days old.
func TestWhichEndIsToday(t *testing.T) {
	bar := func(age int) string { return strings.Repeat("5", barDays-age) + strings.Repeat("0", age) }
	mirrored := func(s string) string {
		b := []byte(s)
		for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
			b[i], b[j] = b[j], b[i]
		}
		return string(b)
	}
	for _, leftmost := range []bool{false, true} {
		f := &fakeCove{}
		var said notices
		c := f.client(func(o *Options) { o.Notice = said.add })
		var got []backup.Day
		for i := range 20 {
			age := 2 + i%5
			text := bar(age)
			if leftmost {
				text = mirrored(text)
			}
			got = c.colourBar(text, testNow, testNow.AddDate(0, 0, -age))
			// Those that prove nothing: as many signs at both ends, or none.
			c.colourBar(strings.Repeat("5", barDays), testNow, testNow)
			c.colourBar(strings.Repeat("5", barDays), testNow, testNow.AddDate(0, 0, -5))
		}
		if got[0].Word != "Completed" || got[27].Word != "" {
			t.Errorf("leftmost %v: %+v", leftmost, got)
		}
		if said := said.list(); (len(said) == 1) != leftmost {
			t.Errorf("leftmost %v: said %q", leftmost, said)
		}
	}
}

// The simulator's fleet proves it: bars and session times agree on the right end.
func TestBarsAgreeWithSessions(t *testing.T) {
	sim := covesim.New(covesim.Options{Seed: 5, Devices: 400, Start: simStart})
	c := simulated(t, sim)
	sim.Advance(24 * time.Hour)
	last := map[string]string{}
	for _, s := range sim.Truth() {
		last[fmt.Sprint(s.DeviceID)] = s.Start.Format(time.DateOnly)
	}
	checked := 0
	for _, snap := range all(t, c, backup.Selection{}) {
		newest := ""
		for _, d := range snap.Device.ColourBar {
			if d.Word != "" {
				newest = d.Date
			}
		}
		if want := last[snap.Device.ID]; newest != "" && want != "" {
			checked++
			a, _ := time.Parse(time.DateOnly, newest)
			b, _ := time.Parse(time.DateOnly, want)
			if a.Sub(b).Abs() > 24*time.Hour {
				t.Errorf("%s: newest day %s, newest session %s", snap.Device.ID, newest, want)
			}
		}
	}
	if checked < 300 || c.barOrientation.todayLeft > c.barOrientation.todayRight {
		t.Errorf("%d checked, right %d, left %d", checked, c.barOrientation.todayRight, c.barOrientation.todayLeft)
	}
}
