package backup

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// told makes of each session what statistics tell of it.
func told(sessions []Known, skew time.Duration, starts bool) (all []Session) {
	for _, k := range sessions {
		s := k.Session
		s.ID, s.Start, s.End = "", s.Start.Add(skew), s.End.Add(skew)
		if s.Told = s.End; starts {
			took := s.End.Sub(s.Start)
			s.Told, s.End, s.Start = s.Start, s.Start, s.Start.Add(-took)
		}
		all = append(all, s)
	}
	return all
}

func bare(sessions []Known) (all []Session) {
	for _, k := range sessions {
		all = append(all, k.Session)
	}
	return all
}

func TestMatchListed(t *testing.T) {
	back := "F 10:00-10:01\nF 10:02-10:03 Failed\nF 10:04-10:30"
	tests := []struct {
		name, told, listed string
		skew               time.Duration
		want               []int
	}{
		{"the same", back, back, 0, []int{0, 1, 2}},
		{"back to back and early", back, back, -45 * time.Second, []int{0, 1, 2}},
		{"back to back and late", back, back, 61 * time.Second, []int{0, 1, 2}},
		{"one was not told of", "F 10:00-10:01\nF 10:04-10:30", back, 45 * time.Second, []int{0, 2}},
		{"one is not listed yet", back, "F 10:02-10:03 Failed\nF 10:04-10:30", 45 * time.Second, []int{-1, 0, 1}},
		{"another one", "F 10:00-10:01", "F 12:00-12:01", 0, []int{-1}},
	}
	for _, tt := range tests {
		for _, starts := range []bool{false, true} {
			if got := endOrStart.matchListed(told(parse(t, tt.told), tt.skew, starts), bare(parse(t, tt.listed)), nil); !slices.Equal(got, tt.want) {
				t.Errorf("%s, told starts %v: got %v, want %v", tt.name, starts, got, tt.want)
			}
		}
	}
}

// As many as possible are matched, and of those ways the nearest is taken.
func TestMatchTheNearest(t *testing.T) {
	tests := []struct {
		name, told, listed string
		want               []int
	}{
		{"the nearer of two", "F 10:05-10:10", "F 10:00-10:06\nF 10:06-10:11", []int{1}},
		{"the nearer of two, the first", "F 10:00-10:05", "F 10:00-10:06\nF 10:06-10:14", []int{0}},
		{"as near to both: the older", "F 10:05-10:10", "F 10:03-10:08\nF 10:07-10:12", []int{0}},
		{"two of three, and all of them near", "F 10:00-10:02\nF 10:04-10:06", "F 10:00-10:02\nF 10:02-10:04\nF 10:04-10:06", []int{0, 2}},
		{"more in all, though further", "F 10:00-10:02\nF 10:04-10:06", "F 10:04-10:06\nF 10:10-10:12", []int{0, 1}},
	}
	for _, tt := range tests {
		if got := endOrStart.matchListed(told(parse(t, tt.told), 0, false), bare(parse(t, tt.listed)), nil); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}

// No listed session ever stands for two, and both stay in their order.
func TestMatchInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(what string) (all []Known) {
			clock := monday
			for range rapid.IntRange(0, 8).Draw(t, what) {
				clock = clock.Add(time.Duration(rapid.IntRange(0, 600).Draw(t, "gap")) * time.Second)
				end := clock.Add(time.Duration(rapid.IntRange(0, 600).Draw(t, "length")) * time.Second)
				all = append(all, Known{Session: Session{State: Ended, Start: clock, End: end, Status: Status(rapid.IntRange(0, 2).Draw(t, "status"))}})
				clock = end
			}
			return all
		}
		last := -1
		for _, l := range endOrStart.matchListed(told(draw("told"), 0, false), bare(draw("listed")), nil) {
			if l >= 0 && l <= last {
				t.Fatalf("%d after %d", l, last)
			}
			last = max(last, l)
		}
	})
}

// The reading that fits better counts; what does not agree costs, or rules it out.
func TestDistance(t *testing.T) {
	tests := []struct {
		name, told, listed string
		reading            reading
		approx             bool // the told start is a guess
		want               time.Duration
		ok                 bool
	}{
		{"the same", "F 10:00-10:30", "F 10:00-10:30", endOrStart, false, 0, true},
		{"the end alone", "F 10:02-10:32", "F 10:00-10:30", endOrStart, true, 2 * time.Minute, true},
		{"of another length", "F 10:00-10:32", "F 10:00-10:30", endOrStart, false, time.Minute, true},
		{"a moment, with nothing to tell its length by", "F 10:32-10:32", "F 10:00-10:30", endOrStart, false, 2 * time.Minute, true},
		{"just near enough", "F 10:10-10:40", "F 10:00-10:30", endOrStart, true, maxApart, true},
		{"too far", "F 10:11-10:41", "F 10:00-10:30", endOrStart, true, 11 * time.Minute, false},
		{"another result", "F 10:00-10:30 Warning", "F 10:00-10:30", endOrStart, false, statusPenalty, true},
		{"failed here, good there", "F 10:00-10:30 Failed", "F 10:00-10:30", endOrStart, false, 0, false},
		{"failed, and given up there", "F 10:00-10:30 Failed", "F 10:00-10:30 Restarted", endOrStart, false, statusPenalty, true},
		{"good, and given up there", "F 10:00-10:30", "F 10:00-10:30 Restarted", endOrStart, false, 0, false},
		{"given up here, failed there", "F 10:00-10:30 Restarted", "F 10:00-10:30 Failed", endOrStart, false, statusPenalty, true},
		{"a start", "F 09:30-10:00", "F 10:00-10:30", endOrStart, false, 0, true},
		{"a start that is ten minutes off its length", "F 09:50-10:00", "F 10:00-10:30", endOrStart, false, 10 * time.Minute, true},
		{"a start where ends are told", "F 09:30-10:00", "F 10:00-10:30", isEnd, false, readingPenalty, true},
		{"a start where starts are told", "F 09:30-10:00", "F 10:00-10:30", isStart, false, 0, true},
		{"an end where starts are told", "F 10:00-10:30", "F 10:00-10:30", isStart, false, readingPenalty, true},
		{"both at once, whatever is told", "F 10:00-10:00", "F 10:00-10:00", isStart, false, 0, true},
		{"both at once, where ends are told", "F 10:00-10:00", "F 10:00-10:00", isEnd, false, 0, true},
	}
	for _, tt := range tests {
		told, listed := told(parse(t, tt.told), 0, false)[0], parse(t, tt.listed)[0].Session
		told.Approx = tt.approx
		if d, ok := tt.reading.distance(told, listed); d != tt.want || ok != tt.ok {
			t.Errorf("%s: got %v, %v, want %v, %v", tt.name, d, ok, tt.want, tt.ok)
		}
	}
}

// Matches tell which reading it is only where they are clear and agree.
func TestReading(t *testing.T) {
	for _, c := range []struct {
		told []string // of sessions from 10:00 to 10:30
		want reading
	}{
		{nil, endOrStart},
		{[]string{"10:30"}, isEnd},
		{[]string{"10:00"}, isStart},
		{[]string{"10:30", "10:29"}, isEnd},
		{[]string{"10:00", "10:01"}, isStart},
		{[]string{"10:00", "10:30"}, endOrStart},
		{[]string{"10:30", "10:00"}, endOrStart},
		{[]string{"10:25"}, isEnd},      // 5 of 25 minutes
		{[]string{"10:24"}, endOrStart}, // 6 of 24
		{[]string{"10:05"}, isStart},
		{[]string{"10:06"}, endOrStart},
		{[]string{"10:06", "10:30"}, isEnd},
	} {
		var j Journal
		for _, told := range c.told {
			k := parse(t, "F 10:00-10:30")[0]
			k.Told = at(told)
			j.Sessions = append(j.Sessions, k)
		}
		alone := parse(t, "F 10:00-10:30")[0] // what statistics alone tell of says nothing
		alone.ID, alone.Told = "", at("10:00")
		estimated := alone // nor does what is listed with the times that statistics told
		estimated.ID, estimated.Estimated = "9", true
		believed := alone // nor what the history calls running, and statistics over
		believed.ID, believed.Unconfirmed = "8", true
		j.Sessions = append(j.Sessions, alone, estimated, believed, parse(t, "F 10:00-10:30")[0])
		if got := j.reading(); got != c.want {
			t.Errorf("%q: got %v, want %v", c.told, got, c.want)
		}
	}
}

// Of sessions back to back, the end of one is near the start of the next: a listed
// one belongs to whom it fits better, by whatever reading, and only then.
func TestContested(t *testing.T) {
	var j Journal
	listed := parse(t, "F 10:30-11:00")[0]
	for _, c := range []struct {
		told, other string
		want        bool
	}{
		{"10:31", "11:00", true}, // a start, and an end that fits better
		{"10:31", "10:59", false},
		{"10:31", "10:30", true}, // another start
		{"10:30", "10:31", false},
		{"11:01", "10:30", true}, // an end, and a start that fits better
		{"11:01", "10:31", false},
		{"11:01", "11:00", true}, // another end
		{"11:00", "11:01", false},
		{"10:45", "11:15", false}, // as much a start as an end, as the other is an end
	} {
		told, other := Known{Session: Session{Told: at(c.told), Approx: true}}, Known{Session: Session{Told: at(c.other), Approx: true}}
		if got := j.contested(told, listed, []Known{told, other}); got != c.want {
			t.Errorf("told of at %s, another at %s: %v", c.told, c.other, got)
		}
		if j.contested(told, listed, nil) {
			t.Errorf("told of at %s: contested by nothing", c.told)
		}
	}
}

// What was given up is not as near to one that completed as what was told of that.
func TestContestedByAnotherResult(t *testing.T) {
	for _, c := range []struct {
		other string
		want  bool
	}{
		{"F 10:00-10:30", true},
		{"F 10:00-10:30 Warning", false},
		{"F 10:00-10:30 Restarted", false},
	} {
		var j Journal
		listed, own := parse(t, "F 10:00-10:30")[0], parse(t, "F 10:01-10:31")[0]
		own.Told = own.End
		other := parse(t, c.other)[0]
		other.Told = other.End
		if got := j.contested(own, listed, []Known{own, other}); got != c.want {
			t.Errorf("%s: %v", c.other, got)
		}
	}
}

// What was told while a session ran is less its start than a later end is its own.
func TestContestedWhileItRan(t *testing.T) {
	listed := parse(t, "F 10:30-11:00")[0]
	own := Known{Session: Session{Told: at("11:02"), Approx: true}}
	for _, c := range []struct {
		told, toldAt string
		off          bool // the device's clock
		want         bool
	}{
		{told: "10:31", toldAt: "10:59", want: true},
		{told: "10:31", toldAt: "11:00"},
		{told: "10:31", toldAt: "10:59", off: true},
		{told: "11:01", toldAt: "10:59"}, // an end, by whatever clock
	} {
		told := Known{Session: Session{Told: at(c.told), End: at(c.told), Approx: true}, EndedAt: at(c.told), ToldAt: at(c.toldAt)}
		if c.off {
			told.EndedAt = told.EndedAt.Add(time.Minute)
		}
		var j Journal
		if got := j.contested(told, listed, []Known{own}); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

// Where ends are known to be told, the end of one that ended as another began is
// not as near to that other as its own end is.
func TestContestedBackToBack(t *testing.T) {
	told, own := Known{Session: Session{Told: at("10:30"), Approx: true}}, Known{Session: Session{Told: at("11:00"), Approx: true}}
	listed := parse(t, "F 10:30-11:00")[0]
	var j Journal
	if j.contested(told, listed, []Known{own}) {
		t.Error("contested, though nothing is known of what is told")
	}
	j.Sessions = parse(t, "F 8:00-9:00")
	j.Sessions[0].ID, j.Sessions[0].Told = "1", at("9:00")
	if !j.contested(told, listed, []Known{own}) {
		t.Error("not contested, though ends are told")
	}
}

// What completed with another result is another session, if it is not of the same minute.
func TestHasOwnResult(t *testing.T) {
	for _, c := range []struct {
		name, told, listed string
		before             string // told of a session from 8:00 to 9:00
		want               bool
	}{
		{"the same", "F 10:00-10:30 Warning", "F 10:00-10:30", "", false},
		{"a minute off", "F 10:01-10:31 Warning", "F 10:00-10:30", "", true},
		{"a minute off, as the one before", "F 10:01-10:31 Warning", "F 10:00-10:30", "09:01", false},
		{"a minute off, with the same result", "F 10:01-10:31", "F 10:00-10:30", "", false},
		{"a minute off, and given up", "F 10:01-10:31 Warning", "F 10:00-10:30 Restarted", "", false},
		{"given up, a minute off", "F 10:01-10:31 Restarted", "F 10:00-10:30", "", false},
		{"a start", "F 10:00-10:00 Warning", "F 10:00-10:30", "", false},
		{"a start, where ends are told", "F 10:00-10:00 Warning", "F 10:00-10:30", "09:00", true},
		{"a start, where starts are told", "F 10:00-10:00 Warning", "F 10:00-10:30", "08:00", false},
		{"an end, where starts are told", "F 10:30-10:30 Warning", "F 10:00-10:30", "08:00", true},
	} {
		var j Journal
		if c.before != "" {
			j.Sessions = parse(t, "F 08:00-09:00")
			j.Sessions[0].ID, j.Sessions[0].Told = "1", at(c.before)
		}
		if got := j.hasOwnResult(told(parse(t, c.told), 0, false)[0], parse(t, c.listed)[0].Session); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// What is told now is as late as what was told before.
func TestWithoutDelay(t *testing.T) {
	for _, c := range []struct {
		told []string // of sessions from 10:00 to 10:30
		want string   // of one told for 12:00
	}{
		{nil, "12:00"},
		{[]string{"10:33"}, "11:57"},
		{[]string{"10:28"}, "12:02"},
		{[]string{"10:33", "10:31", "10:32"}, "11:58"},
		{[]string{"10:03"}, "11:57"},          // a start
		{[]string{"10:03", "10:33"}, "12:00"}, // they don't agree
	} {
		var j Journal
		for _, told := range c.told {
			k := parse(t, "F 10:00-10:30")[0]
			k.Told = at(told)
			j.Sessions = append(j.Sessions, k)
		}
		off := parse(t, "F 10:00-10:30")[0]
		off.Told, off.Estimated = off.End, true
		j.Sessions = append(j.Sessions, off)
		late := at("12:00").Sub(at(c.want))
		told := Session{Start: at("11:00"), End: at("12:00"), Told: at("12:00")}
		want := Session{Start: at("11:00").Add(-late), End: at(c.want), Told: at(c.want)}
		if got := j.withoutDelay(told); !got.Start.Equal(want.Start) || !got.End.Equal(want.End) || !got.Told.Equal(want.Told) {
			t.Errorf("%q: %s to %s, told %s", c.told, got.Start, got.End, got.Told)
		}
	}
}
