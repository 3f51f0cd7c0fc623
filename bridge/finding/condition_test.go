package finding

import (
	"bytes"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// What comes and goes is told of once in ten minutes, and not lost if it stays.
func TestConditionThatComesAndGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log lines
		condition := NewList(slog.New(slog.NewTextHandler(&log, nil))).Condition(Kind{Name: "rain", What: "it rains"}, "")
		for range 3600 / 4 {
			condition.Raise("a cloud", "")
			time.Sleep(2 * time.Second)
			condition.Clear()
			if _, on := condition.Finding(); on {
				t.Fatal("it is over")
			}
			time.Sleep(2 * time.Second)
		}
		if n := len(log.with("it rains")); n < 10 || n > 13 {
			t.Errorf("%d lines in an hour", n)
		}
		before := len(log.with("level=ERROR")) + len(log.with("level=WARN"))
		for range 9 {
			condition.Raise("another\ncloud", "umbrella")
			time.Sleep(5 * time.Minute)
		}
		told := append(log.with("level=ERROR"), log.with("level=WARN")...)
		if len(told) != before+1 {
			t.Errorf("%d lines", len(told)-before)
		}
		if f, on := condition.Finding(); !on || f.Why != "another; cloud" || f.Remedy != "umbrella" || time.Since(f.Since) != 45*time.Minute {
			t.Errorf("got %+v", f)
		}
	})
}

// What fails again and again is told of as it begins, once an hour while it lasts,
// then as an error that says since when and how often, and when it is over.
func TestConditionThatLasts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log lines
		list := NewList(slog.New(slog.NewTextHandler(&log, nil)))
		condition := list.Condition(Kind{Name: "rain", Severity: Failed, What: "it rains"}, "garden")
		began := time.Now()
		for range 2*60 + 1 {
			condition.Raise("a cloud", "umbrella")
			time.Sleep(time.Minute)
		}
		f, on := condition.Finding()
		if want := (Finding{"rain", "garden", Failed, began, "it rains", "a cloud", "umbrella", 121}); !on || f != want {
			t.Errorf("got %+v (%v)\nwant %+v", f, on, want)
		}
		condition.Clear()
		condition.Clear()
		want := []string{
			`level=WARN msg="it rains" account=garden why="a cloud" remedy=umbrella`,
			`level=ERROR msg="it rains" account=garden why="a cloud" remedy=umbrella times=61 since=` + began.Format("2006-01-02T15:04:05.000Z07:00"),
			`level=ERROR msg="it rains" account=garden why="a cloud" remedy=umbrella times=121 since=` + began.Format("2006-01-02T15:04:05.000Z07:00"),
			`level=INFO msg="over: it rains" account=garden lasted=2h1m0s times=121`,
		}
		got := log.with("it rains")
		for i, line := range got {
			_, got[i], _ = strings.Cut(strings.TrimSpace(line), " ")
		}
		if !slices.Equal(got, want) {
			t.Errorf("the log has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}

// lines is a log.
type lines struct{ bytes.Buffer }

// with gives the lines that hold a text.
func (l *lines) with(text string) (some []string) {
	for line := range strings.Lines(l.String()) {
		if strings.Contains(line, text) {
			some = append(some, line)
		}
	}
	return some
}
