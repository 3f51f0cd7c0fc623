package collect

import (
	"testing"
	"time"

	"covebridge/bridge/backup"
)

// clock reads "10:05" as a time of one day.
func clock(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse("15:04", s)
	if err != nil {
		t.Fatal(err)
	}
	return at.AddDate(2026, 0, 0)
}

// Waiting is measured by the earlier of two clocks, and where they disagree by
// what passed on both.
func TestTick(t *testing.T) {
	for _, c := range []struct{ sure, local, product, nowLocal, nowProduct, want string }{
		{"", "", "", "10:00", "12:00", "12:00"}, // the first poll
		{"", "", "", "12:00", "10:00", "10:00"},
		{"10:00", "10:00", "10:00", "10:15", "10:20", "10:15"},
		{"10:00", "10:05", "10:00", "10:20", "10:35", "10:20"}, // 15 minutes apart agree
		{"10:00", "10:05", "10:00", "10:20", "10:36", "10:15"},
		{"10:00", "10:00", "10:00", "10:15", "04:15", "10:15"}, // put back
		{"10:00", "10:00", "10:00", "04:15", "10:15", "10:15"},
		{"10:00", "10:00", "10:00", "10:00", "12:00", "10:00"}, // put forward
		{"10:00", "10:00", "12:00", "09:00", "11:00", "10:00"}, // both put back
		{"10:00", "10:00", "10:00", "04:15", "23:00", "11:00"}, // put back and forward
		{"10:00", "10:00", "18:00", "18:15", "18:15", "18:15"}, // they agree again
	} {
		var p progress
		if c.sure != "" {
			p = progress{Trusted: clock(t, c.sure), Local: clock(t, c.local), Product: clock(t, c.product)}
		}
		if got := p.advance(clock(t, c.nowLocal), clock(t, c.nowProduct)); !got.Equal(clock(t, c.want)) || !p.Trusted.Equal(got) {
			t.Errorf("%+v: %s", c, got.Format("15:04"))
		}
	}
}

// Changes are asked for as far back as any clock says that it is, and an hour;
// for more than a week, or where all clocks went back, every device is read.
func TestChanges(t *testing.T) {
	last := progress{LastRead: clock(t, "10:00"), Trusted: clock(t, "10:00"), Local: clock(t, "10:00"), Product: clock(t, "10:00")}
	for _, c := range []struct {
		local, product, sure time.Duration
		want                 time.Duration
		all                  bool
	}{
		{0, 0, 0, overlap, false},
		{15 * time.Minute, 20 * time.Minute, 15 * time.Minute, 20*time.Minute + overlap, false},
		{25 * time.Minute, 20 * time.Minute, 15 * time.Minute, 25*time.Minute + overlap, false},
		{0, 0, 2 * time.Hour, 2*time.Hour + overlap, false},
		{maxCatchUp, 0, 0, maxCatchUp + overlap, false},
		{maxCatchUp + 1, 0, 0, maxCatchUp + 1 + overlap, true},
		{-1, -2, -3, overlap - 1, true},
	} {
		p := progress{Local: last.Local.Add(c.local), Product: last.Product.Add(c.product), Trusted: last.Trusted.Add(c.sure)}
		if since, all := p.changedSince(last); since != c.want || all != c.all {
			t.Errorf("%+v: %s, all %v", c, since, all)
		}
	}
	if since, all := last.changedSince(progress{}); since != 0 || !all {
		t.Errorf("the first time: %s, all %v", since, all)
	}
}

// Another account takes a device over from one that is configured behind it, or
// no more, or has not shown it for longer than a while.
func TestSightOfAnothersDevice(t *testing.T) {
	now := clock(t, "10:00")
	rank := func(account string) int { return map[string]int{"first": 0, "second": 1, "gone": -1}[account] }
	for _, c := range []struct {
		owner, account string
		unseen         time.Duration
		want           bool
	}{
		{"first", "second", 0, false}, {"second", "first", 0, true}, {"gone", "second", 0, true},
		{"first", "second", time.Hour, false}, {"first", "second", time.Hour + time.Second, true},
	} {
		r := newRoster(time.Hour)
		r.committed("other", "third", 1, false, now)
		r.committed("device", c.owner, 1, false, now.Add(-c.unseen))
		if got := r.observe([]byte("device"), c.account, 1, now, rank); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
		r.committed("device", c.owner, 1, false, now)
		if len(r.names) != 2 {
			t.Errorf("accounts are called %q", r.names)
		}
	}
}

// A device is shown as long as the product shows it to this process: not by what the
// ledger knows of it, nor as one that is due is looked at.
func TestSeenSince(t *testing.T) {
	r := newRoster(time.Hour)
	poll := func(at string, shown bool) bool {
		now := clock(t, at)
		if shown {
			r.observe([]byte("device"), "msp", 1, now, func(string) int { return 0 })
		}
		r.committed("device", "msp", 1, false, now)
		return r.seenSince("device", now)
	}
	r.devices["device"] = entry{account: r.index("msp"), seen: clock(t, "10:00").Unix()} // as loaded
	if r.seenSince("device", clock(t, "10:00")) || poll("10:00", false) || !poll("10:15", true) || poll("10:30", false) {
		t.Error("it is shown at 10:15 alone")
	}
	if r.committed("new", "msp", 1, false, clock(t, "10:00")); !r.seenSince("new", clock(t, "10:00")) {
		t.Error("a new one is shown")
	}
}

func TestJobFallsBack(t *testing.T) {
	j, err := NewJob("{{.Device.Alias}}")
	if err != nil {
		t.Fatal(err)
	}
	for want, d := range map[string]backup.Device{"alias": {Alias: "alias", Name: "name", ID: "7"}, "name": {Name: "name", ID: "7"}, "7": {ID: "7"}} {
		if got, err := j.Name(backup.Run{Device: d}); got != want || err != nil {
			t.Errorf("got %q, want %q: %v", got, want, err)
		}
	}
}

// Fewer than half of the devices are told of until there are more again, or a
// week has passed.
func TestShows(t *testing.T) {
	day := clock(t, "10:00")
	var p progress
	for _, c := range []struct {
		days            int
		devices, before int64
	}{
		{0, 0, 0}, {1, 40, 0}, {2, 20, 0}, {3, 9, 20}, {4, 9, 20}, {5, 10, 0}, {6, 4, 10}, {12, 4, 10}, {13, 4, 0}, {14, 0, 4}, {15, 2, 0}, {16, 3, 0},
	} {
		p.Trusted = day.AddDate(0, 0, c.days)
		if got := p.noteDevices(c.devices); got != c.before {
			t.Errorf("day %d: %d devices are %d before, want %d", c.days, c.devices, got, c.before)
		}
	}
}
