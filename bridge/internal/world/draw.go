package world

import (
	"slices"
	"time"

	"pgregory.net/rapid"
)

// Draw draws a plan: tame in most of its parts, wild in some.
func Draw(t *rapid.T) (p Plan) {
	p.Bridges = rapid.SampledFrom([]int{1, 1, 1, 2, 3}).Draw(t, "bridges")
	p.Skew = rapid.SampledFrom([]time.Duration{0, 0, 20 * time.Second, -45 * time.Second, 3 * time.Minute, -3 * time.Minute}).Draw(t, "skew")
	p.F15IsEnd = rapid.Bool().Draw(t, "F15 is an end")
	p.F18Starts = rapid.IntRange(0, 3).Draw(t, "F18 is a start") == 0
	p.Vague = rapid.IntRange(0, 3).Draw(t, "vague") == 0
	for range rapid.IntRange(1, 4).Draw(t, "devices") {
		p.Devices = append(p.Devices, p.drawDevice(t))
	}
	for range rapid.IntRange(0, 6).Draw(t, "episodes") {
		p.Episodes = append(p.Episodes, p.drawEpisode(t))
	}
	for range rapid.IntRange(0, 4).Draw(t, "changes") {
		p.Changes = append(p.Changes, p.drawChange(t))
	}
	slices.SortStableFunc(p.Changes, func(a, b Change) int { return int(a.At - b.At) })
	for i := range p.Devices {
		p.Devices[i].Tests = drawTests(t, p.Devices[i])
	}
	return p
}

func minutes(t *rapid.T, name string, from, to int) time.Duration {
	return time.Duration(rapid.IntRange(from, to).Draw(t, name)) * time.Minute
}

func (p Plan) drawDevice(t *rapid.T) (d Device) {
	gaps := []int{0, 1, 1, 3, 12, 60, 200}
	if p.Skew.Abs() > time.Minute { // which of two sessions is told of can't be known if they are closer
		gaps = gaps[4:]
	}
	d.Kind = rapid.SampledFrom([]Kind{Server, Server, Workstation, Tenant}).Draw(t, "kind")
	codes := []string{"D01", "D02"}
	if d.Kind == Tenant { // whose clock is the service's
		codes = []string{"D19", "D20"}
	} else {
		d.Offset = time.Duration(rapid.SampledFrom([]int{0, 0, 0, 0, -70, -6, 6}).Draw(t, "clock off by")) * time.Hour
	}
	for _, source := range codes[:rapid.IntRange(1, 2).Draw(t, "sources")] {
		at := minutes(t, "first", 1, 300)
		for range rapid.IntRange(0, 8).Draw(t, "sessions") {
			s := Session{Source: source, Start: at, End: at + minutes(t, "length", 0, 90)}
			s.Status = rapid.SampledFrom([]int{completed, completed, completed, completed, withErrors, failed, failed, restarted, inProcess}).Draw(t, "status")
			if s.Status == inProcess && rapid.IntRange(0, 3).Draw(t, "wedged") > 0 {
				s.Status = completed
			}
			switch rapid.IntRange(0, 11).Draw(t, "listing") {
			case 0:
				s.Late = true
			case 1:
				s.Late, s.Delay = true, minutes(t, "minutes late", 5, 50)
			case 2:
				if d.Kind == Tenant {
					s.Late, s.Delay = true, minutes(t, "minutes late", 60, 600)
				}
			}
			d.Sessions = append(d.Sessions, s)
			gap := time.Duration(rapid.SampledFrom(gaps).Draw(t, "gap")) * time.Minute
			at = max(s.End+gap, s.Start+time.Minute) // no two begin at once
			if s.Status == inProcess {
				d.Sessions[len(d.Sessions)-1].End = 1 << 60
			}
		}
	}
	return d
}

func (p Plan) drawEpisode(t *rapid.T) (e Episode) {
	e.Kind = rapid.SampledFrom([]Trouble{CoveAway, PageFails, NodeAway, NoTexts, NullRow, PartialRow, Vanished, DateOff, OwnClockOff, OwnClockBack,
		Throttled, RefusesAll, RefusesDevice, Stalls, Cuts, Mute, Unasked, DiskFull, LyingDisk}).Draw(t, "trouble")
	if e.Kind == DateOff && p.has(OwnClockOff, OwnClockBack) || (e.Kind == OwnClockOff || e.Kind == OwnClockBack) && p.has(DateOff) {
		e.Kind = Throttled // two clocks that jump together are believed
	}
	e.From = minutes(t, "from", 0, 1000)
	if e.Kind != OwnClockOff && e.Kind != OwnClockBack { // the first poll is what tells new from old
		e.From = max(e.From, time.Minute)
	}
	e.To = e.From + minutes(t, "lasts", 1, 240)
	e.Device = rapid.IntRange(0, len(p.Devices)-1).Draw(t, "device")
	return e
}

func (p Plan) drawChange(t *rapid.T) (c Change) {
	c.Kind = rapid.SampledFrom([]Event{Killed, Killed, Killed, Paused, Paused, Copied, Restored, Moved, Renamed, DeviceJumped}).Draw(t, "event")
	// Mostly while a poll or a delivery is under way.
	c.At = interval*time.Duration(rapid.IntRange(1, 70).Draw(t, "poll")) + time.Duration(rapid.IntRange(0, 4000).Draw(t, "ms"))*time.Millisecond
	if c.Kind == Killed || c.Kind == Paused {
		c.For = rapid.SampledFrom([]time.Duration{time.Second, time.Minute, 3 * time.Minute, 2 * time.Hour}).Draw(t, "for")
	}
	c.Bridge = rapid.IntRange(0, p.Bridges-1).Draw(t, "bridge")
	c.Device = rapid.IntRange(0, len(p.Devices)-1).Draw(t, "device")
	return c
}
