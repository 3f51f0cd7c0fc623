package backup_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"covebridge/bridge/backup"
)

// view is a session as statistics or the history tell of it: "F 10:00-10:30",
// from statistics unless it has an id: "#7 F 10:00-10:30".
func view(t *testing.T, lines string) (sessions []backup.Session) {
	for line := range strings.SplitSeq(lines, "\n") {
		id := ""
		if strings.HasPrefix(line, "#") {
			id, line, _ = strings.Cut(line[1:], " ")
		}
		s := parse(t, line)[0]
		s.Row, s.ID = 0, id
		if id == "" && s.State == backup.Ended {
			s.Told = s.End
		}
		sessions = append(sessions, s)
	}
	return sessions
}

func TestMerge(t *testing.T) {
	tests := []struct{ name, known, seen, want string }{
		{"the same id", "#7 F 10:00-", "#7 F 10:00-10:30", "#7 F 10:00-10:30"},
		{"history knows better", "F 10:00-10:30", "#7 F 10:02-10:31", "#7 F 10:02-10:31"},
		{"statistics come after history", "#7 F 10:02-10:31", "F 10:00-10:30", "#7 F 10:02-10:31"},
		{"another session of statistics", "F 10:00-10:01", "F 10:05-10:06", "F 10:00-10:01\nF 10:05-10:06"},
		{"each finds the nearest", "F 10:01-10:02\nF 10:06-10:07", "#1 F 10:00-10:01\n#2 F 10:05-10:06\n#3 F 10:10-10:11", "#1 F 10:00-10:01\n#2 F 10:05-10:06\n#3 F 10:10-10:11"},
		{"another data source", "F 10:00-10:30", "#7 S 10:00-10:30", "F 10:00-10:30\n#7 S 10:00-10:30"},
		{"a running one ends", "F 10:00-", "F 10:00-10:30", "F 10:00-10:30"},
		{"a running one with a doubtful start ends", "F ~06:00-", "#7 F 10:00-10:30\n#8 F 14:00-14:30", "#7 F 10:00-10:30\n#8 F 14:00-14:30"},
		{"what ended does not run again", "F 10:00-10:30", "#7 F 10:00-", "#7 F 10:00-10:30"},
		{"a guess does not replace what is known", "F 10:00-10:30", "F ~09:00-10:30", "F 10:00-10:30"},
		{"one that runs by both ways", "#7 F 10:00-", "F 10:03-", "#7 F 10:00-"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, s := range backup.Merge(view(t, tt.known), view(t, tt.seen)) {
				line := s.Source.Key + " " + s.Start.Format("15:04") + "-"
				if s.ID != "" {
					line = "#" + s.ID + " " + line
				}
				if s.State == backup.Ended {
					line += s.End.Format("15:04")
				}
				got = append(got, line)
			}
			if s := strings.Join(got, "\n"); s != tt.want {
				t.Errorf("got\n%s\nwant\n%s", s, tt.want)
			}
		})
	}
}

// A sent session is never changed; only the marks that tell it apart are taken.
func TestMergeKeepsWhatWentOut(t *testing.T) {
	known := view(t, "F 10:00-10:30")
	known[0].Run = "cove-1-x"
	got := backup.Merge(known, view(t, "#7 F 10:02-10:31 Failed"))
	if len(got) != 1 || got[0].Status != backup.Success || got[0].ID != "7" || !got[0].Start.Equal(at("10:00")) {
		t.Errorf("got %+v", got)
	}
}

// However a device is polled, with statistics alone or with history, and
// though both differ by a minute, each session is there once.
func TestMergeFindsEachSessionOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var truth []backup.Session
		clock := day
		for i := range rapid.IntRange(1, 30).Draw(t, "sessions") {
			clock = clock.Add(time.Duration(rapid.IntRange(4, 60).Draw(t, "gap")) * time.Minute)
			s := backup.Session{ID: fmt.Sprint(i), Source: backup.DataSource{Key: "F"}, State: backup.Ended, Start: clock}
			clock = clock.Add(time.Duration(rapid.IntRange(0, 20).Draw(t, "length")) * time.Minute)
			s.End = clock
			truth = append(truth, s)
		}
		skew := time.Duration(rapid.IntRange(-60, 60).Draw(t, "skew")) * time.Second
		var known []backup.Session
		now := day
		for now.Before(clock) {
			now = now.Add(time.Duration(rapid.IntRange(1, 60).Draw(t, "poll after")) * time.Minute)
			seen := seenAt(truth, now)
			if len(seen) == 0 {
				continue
			}
			if rapid.Bool().Draw(t, "history") {
				known = backup.Merge(known, seen)
			}
			var told []backup.Session // statistics: the last one, and while it runs the one before
			for _, s := range seen[max(0, len(seen)-2):] {
				s.ID, s.Start = "", s.Start.Add(skew)
				if s.State == backup.Ended {
					s.End = s.End.Add(skew)
					s.Told = s.End
				}
				told = append(told, s)
			}
			if told[len(told)-1].State == backup.Ended {
				told = told[len(told)-1:]
			}
			known = backup.Merge(known, told)
		}
		known = backup.Merge(known, truth)
		ids := map[string]int{}
		for _, s := range known {
			ids[s.ID]++
		}
		if len(known) != len(truth) || len(ids) != len(truth) {
			t.Fatalf("%d sessions became %d: %v\n%+v", len(truth), len(known), ids, known)
		}
	})
}
