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
			if got := endOrStart.matchListed(told(parse(t, tt.told), tt.skew, starts), bare(parse(t, tt.listed))); !slices.Equal(got, tt.want) {
				t.Errorf("%s, told starts %v: got %v, want %v", tt.name, starts, got, tt.want)
			}
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
		for _, l := range endOrStart.matchListed(told(draw("told"), 0, false), bare(draw("listed"))) {
			if l >= 0 && l <= last {
				t.Fatalf("%d after %d", l, last)
			}
			last = max(last, l)
		}
	})
}
