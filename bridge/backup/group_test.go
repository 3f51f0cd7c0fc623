package backup

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var (
	monday = time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	device = Device{Product: "cove", ID: "1234567", Name: "srv01_ab12c"}
	rules  = Rules{Window: 10 * time.Minute}
)

// at reads "10:05" as a time of the day.
func at(clock string) time.Time {
	t, err := time.Parse("15:04", clock)
	if err != nil {
		panic(err)
	}
	return monday.Add(time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute)
}

// parse reads sessions such as "F 10:00-10:30 Failed" and "S 10:00-". A word
// behind "@" is the run it went out in; "~" marks a start nobody knows.
func parse(t testing.TB, lines string) (sessions []Known) {
	t.Helper()
	for i, line := range strings.Split(strings.TrimSpace(lines), "\n") {
		words := strings.Fields(line)
		start, end, _ := strings.Cut(words[1], "-")
		s := Known{Session: Session{
			ID: fmt.Sprint(i + 1), State: Ended, Start: at(strings.TrimPrefix(start, "~")),
			Source: DataSource{Key: words[0], Name: words[0]}, Approx: strings.HasPrefix(start, "~"),
		}}
		if end == "" {
			s.State = Running
		} else {
			s.End = at(end)
			s.EndedAt = s.End
		}
		for _, w := range words[2:] {
			switch {
			case strings.HasPrefix(w, "@"):
				s.Run = w[1:]
			case w == "Restarted":
				s.State = Restarted
			default:
				status, err := ParseStatus(w)
				if err != nil {
					t.Fatal(err)
				}
				s.Status = status
			}
		}
		sessions = append(sessions, s)
	}
	return sessions
}

func groupsOf(d Device, sessions []Known, rules Rules, now time.Time) []group {
	sorted := slices.Clone(sessions)
	sortKnown(sorted)
	return groupSessions(d, sorted, rules, now)
}

// show writes a group as "F S 10:00-10:30 Failed ready".
func show(g group) string {
	var b strings.Builder
	for _, s := range g.Sessions {
		b.WriteString(s.Source.Key + " ")
	}
	fmt.Fprintf(&b, "%s-%s %s", g.Start.Format("15:04"), g.End.Format("15:04"), g.Status)
	if g.late {
		b.WriteString(" late")
	}
	switch {
	case g.sent:
		b.WriteString(" sent")
	case g.ready:
		b.WriteString(" ready")
	case g.open:
		b.WriteString(" unfinished")
	default:
		b.WriteString(" waits")
	}
	return b.String()
}

func TestGroups(t *testing.T) {
	tests := []struct{ name, sessions, at, want string }{
		{"side by side", "F 10:00-10:30\nS 10:00-10:05 Warning", "10:41", "F S 10:00-10:30 Warning ready"},
		{"one after the other", "F 10:00-10:30\nS 10:30-10:35\nQ 10:45-10:50 Failed", "11:01", "F S Q 10:00-10:50 Failed ready"},
		{"just within the window", "F 10:00-10:30\nS 10:40-10:45", "11:00", "F S 10:00-10:45 Success ready"},
		{"just past the window", "F 10:00-10:30\nS 10:41-10:45", "11:00", "F 10:00-10:30 Success ready\nS 10:41-10:45 Success ready"},
		{"the same source opens a new run", "F 10:00-10:30\nF 10:35-10:40", "10:41", "F 10:00-10:30 Success ready\nF 10:35-10:40 Success waits"},
		{"more may join", "F 10:00-10:30", "10:40", "F 10:00-10:30 Success waits"},
		{"any start joins an unfinished run", "F 10:00-\nS 18:00-18:05", "19:00", "F S 10:00-18:05 Success unfinished"},
		{"a newer run closes the one before", "F 10:00-10:30 Failed\nF 10:38-", "10:39", "F 10:00-10:30 Failed ready\nF 10:38-10:38 Success unfinished"},
		{"restarted is replaced", "F 10:00-10:05 Restarted Warning\nF 10:10-10:30", "10:41", "F 10:10-10:30 Success ready"},
		{"restarted waits for the next", "F 10:00-10:05 Restarted", "11:00", "F 10:00-10:05 Success waits"},
		{"a chain of restarts", "F 10:00-10:05 Restarted\nF 10:06-10:07 Restarted\nF 10:08-10:30 Warning", "10:41", "F 10:08-10:30 Warning ready"},
		{"too late for its run", "F 10:00-10:30 @a\nS 10:00-10:20", "11:00", "F 10:00-10:30 Success sent\nS 10:00-10:20 Success late ready"},
		{"too late for two that went out", "F 10:00-10:30 @a\nS 10:05-10:10 @a\nQ 10:25-10:35", "11:00", "F S 10:00-10:30 Success sent\nQ 10:25-10:35 Success late ready"},
		{"a late one opens nothing", "F 10:00-10:30 @a\nS 10:00-10:20\nQ 10:05-10:25", "11:00", "F 10:00-10:30 Success sent\nS 10:00-10:20 Success late ready\nQ 10:05-10:25 Success late ready"},
		{"since nobody knows when: its run waits", "F 10:00-10:30\nS ~06:00-\nF 14:00-14:10", "15:00", "F S 10:00-10:30 Success unfinished\nF 14:00-14:10 Success ready"},
		{"since nobody knows when: not one with its source", "F 10:00-10:30\nS 10:00-10:10\nS ~10:10-", "11:00", "F S 10:00-10:30 Success ready\nS 10:10-10:10 Success unfinished"},
		{"nothing", "", "10:00", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var sessions []Known
			if tt.sessions != "" {
				sessions = parse(t, tt.sessions)
			}
			var got []string
			for _, g := range groupsOf(device, sessions, rules, at(tt.at)) {
				got = append(got, show(g))
			}
			if s := strings.Join(got, "\n"); s != tt.want {
				t.Errorf("got\n%s\nwant\n%s", s, tt.want)
			}
		})
	}
}

func TestGroupsBySource(t *testing.T) {
	groups := groupsOf(device, parse(t, "F 10:00-10:30\nS 10:00-10:20"), Rules{BySource: true}, at("10:31"))
	if len(groups) != 2 || groups[0].ID == groups[1].ID || !groups[0].ready {
		t.Fatalf("want two ready runs with names of their own, got %+v", groups)
	}
	if want := "cove-1234567-F-20261123T100000Z"; groups[0].ID != want {
		t.Errorf("got %s, want %s", groups[0].ID, want)
	}
}

// A session that comes too late makes a run with a name of its own, though it
// started in the same second as the run it would have joined.
func TestLateIdentity(t *testing.T) {
	first := groupsOf(device, parse(t, "F 10:00-10:30"), rules, at("10:41"))[0]
	sessions := parse(t, "F 10:00-10:30\nS 10:00-10:20")
	sessions[0].Run = first.ID
	late := groupsOf(device, sessions, rules, at("11:00"))[1]
	if late.ID == first.ID {
		t.Fatalf("both runs are called %s", late.ID)
	}
}

func TestOverdue(t *testing.T) {
	g := groupsOf(device, parse(t, "F 10:00-\nS 10:00-10:20 Failed"), rules, at("23:00"))[0]
	r := g.overdue(12*time.Hour, at("23:00"))
	if r.Kind != Overdue || r.Status != Warning || r.ID == g.ID || !r.End.Equal(at("23:00")) {
		t.Errorf("got %+v", r)
	}
}

// A run whose sessions ended, and that waits for one that runs since nobody knows
// when, is unfinished since that was seen.
func TestBegunAt(t *testing.T) {
	for lines, want := range map[string]string{
		"F 10:00-":                            "10:00",
		"F 10:00-10:30\nS 10:10-":             "10:00",
		"F 10:00-10:30\nS ~10:10-":            "18:00",
		"F 10:00-10:30\nS 10:00-\nQ ~10:10-":  "10:00",
		"F 10:00-10:30\nS ~10:10-\nQ ~10:10-": "18:00",
	} {
		sessions := parse(t, lines)
		for i := range sessions {
			k := &sessions[i]
			if k.BegunAt = k.Start; k.vague() {
				k.BegunAt = at("18:00").Add(time.Duration(i-1) * time.Minute)
			}
		}
		if g := groupsOf(device, sessions, rules, at("23:00")); len(g) != 1 || !g[0].begunAt.Equal(at(want)) {
			t.Errorf("%q: %d runs, unfinished since %v, want %s", lines, len(g), g[0].begunAt, want)
		}
	}
}

// history draws the sessions of one device over a day: each data source runs
// one session after the other.
func history(t *rapid.T) (sessions []Known) {
	for _, key := range []string{"F", "S", "Q"} {
		clock := monday
		for range rapid.IntRange(0, 8).Draw(t, "sessions of "+key) {
			start := clock.Add(time.Duration(rapid.IntRange(1, 90).Draw(t, "gap")) * time.Minute)
			end := start.Add(time.Duration(rapid.IntRange(0, 60).Draw(t, "length")) * time.Minute)
			sessions = append(sessions, Known{EndedAt: end, Session: Session{
				ID: fmt.Sprint(key, len(sessions)), Source: DataSource{Key: key, Name: key}, State: Ended, Start: start, End: end,
				Status: Status(rapid.IntRange(0, 2).Draw(t, "status")),
			}})
			clock = end
		}
	}
	sortKnown(sessions)
	return sessions
}

// seenAt gives the sessions as a poll at that time shows them.
func seenAt(sessions []Known, now time.Time) (seen []Known) {
	for _, s := range sessions {
		if s.Start.After(now) {
			continue
		}
		if s.End.After(now) {
			s.State, s.Status, s.End = Running, 0, time.Time{}
		}
		seen = append(seen, s)
	}
	return seen
}

func names(groups []group) (names []string) {
	for _, g := range groups {
		name := g.ID
		for _, s := range g.Sessions {
			name += " " + s.ID
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// What a run holds depends on the sessions alone, never on when they were polled.
func TestGroupsDoNotDependOnPolls(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sessions := history(t)
		end := monday.AddDate(0, 0, 3)
		want := names(groupsOf(device, sessions, rules, end))
		run := map[string]string{}
		var sent []group
		for now := monday; now.Before(end); {
			seen := seenAt(sessions, now)
			for i := range seen {
				seen[i].Run = run[seen[i].ID]
			}
			for _, g := range groupsOf(device, seen, rules, now) {
				if !g.ready {
					continue
				}
				sent = append(sent, g)
				for _, s := range g.Sessions {
					run[s.ID] = g.ID
				}
			}
			now = now.Add(time.Duration(rapid.IntRange(1, 400).Draw(t, "poll after")) * time.Minute)
			if now.After(monday.AddDate(0, 0, 1)) {
				now = now.Add(24 * time.Hour)
			}
		}
		if got := names(sent); !slices.Equal(got, want) {
			t.Fatalf("polled:\n%s\nat once:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}

// Whatever comes late, each session is in one run, and no two runs share a name.
func TestEverySessionIsInOneRun(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sessions := history(t)
		run, ids := map[string]string{}, map[string]bool{}
		late := rapid.SliceOfN(rapid.IntRange(0, 3), len(sessions), len(sessions)).Draw(t, "late by polls")
		for poll := range 5 {
			now := monday.Add(time.Duration(poll+1) * 20 * time.Hour)
			var seen []Known
			for i, s := range seenAt(sessions, now) {
				if late[i] <= poll {
					s.Run = run[s.ID]
					seen = append(seen, s)
				}
			}
			for _, g := range groupsOf(device, seen, rules, now) {
				if !g.ready {
					continue
				}
				if ids[g.ID] {
					t.Fatalf("two runs are called %s", g.ID)
				}
				ids[g.ID] = true
				for _, s := range g.Sessions {
					if run[s.ID] != "" {
						t.Fatalf("session %s is in %s and in %s", s.ID, run[s.ID], g.ID)
					}
					run[s.ID] = g.ID
				}
			}
		}
		for _, s := range sessions {
			if run[s.ID] == "" {
				t.Fatalf("session %s of %s went out in no run", s.ID, s.Start)
			}
		}
	})
}

func TestAnchored(t *testing.T) {
	tests := []struct {
		name, sessions, t string
		want              bool
	}{
		{"a gap before", "F 08:00-08:30\nF 09:00-09:30", "10:00", true},
		{"no gap", "F 09:40-09:58\nS 10:05-10:10", "10:00", false},
		{"a gap, and still running", "F 08:00-08:30\nF 09:00-", "10:00", true},
		{"a gap just wide enough", "F 09:40-09:50", "10:00", true},
		{"a gap just too small", "F 09:40-09:51", "10:00", false},
		{"a gap before the next", "F 09:40-09:50\nF 10:01-10:10", "10:00", true},
		{"the next within the window", "F 09:40-09:51\nF 10:01-10:10", "10:00", false},
		{"a gap behind", "F 09:40-09:55\nF 10:06-10:10", "10:00", true},
		{"all of it behind", "F 11:00-11:10", "10:00", true},
		{"the longest counts", "F 08:00-09:55\nS 08:10-08:20", "10:00", false},
		{"nothing", "", "10:00", true},
		{"still running", "F 08:00-\nS 09:00-09:10", "10:00", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var sessions []Known
			if tt.sessions != "" {
				sessions = parse(t, tt.sessions)
			}
			if got := Anchored(bare(sessions), rules.Window, at(tt.t)); got != tt.want {
				t.Errorf("got %v", got)
			}
		})
	}
}
