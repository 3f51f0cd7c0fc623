package finding

import (
	"bytes"
	"log/slog"
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
