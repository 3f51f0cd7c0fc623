package finding

import (
	"log/slog"
	"testing"
	"testing/synctest"
	"time"
)

// The worst comes first, then the oldest; what is well again does not come.
func TestCurrent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		list := NewList(slog.New(slog.DiscardHandler))
		drizzle, rain := Kind{Name: "drizzle", Severity: Warning, What: "it drizzles"}, Kind{Name: "rain", Severity: Failed, What: "it rains"}
		list.Condition(rain, "d") // asked for first, and raised last
		for _, c := range []struct {
			kind    Kind
			subject string
		}{{drizzle, "a"}, {rain, "b"}, {drizzle, "c"}, {rain, "d"}, {rain, "gone"}} {
			list.Condition(c.kind, c.subject).Raise("a cloud", "")
			time.Sleep(time.Minute)
		}
		list.Condition(rain, "gone").Clear()
		list.Condition(drizzle, "a").Raise("another", "umbrella")
		want := []string{"b: it rains: a cloud", "d: it rains: a cloud", "a: it drizzles: another → umbrella", "c: it drizzles: a cloud"}
		current := list.Current()
		if len(current) != len(want) {
			t.Fatalf("got %v", current)
		}
		for i, f := range current {
			if f.String() != want[i] {
				t.Errorf("number %d is %q, want %q", i, f, want[i])
			}
		}
		if s := (Finding{What: "it rains", Why: "a cloud"}).String(); s != "it rains: a cloud" {
			t.Errorf("without a subject: %q", s)
		}
		if f := current[2]; f.Times != 2 || f.Since != current[0].Since.Add(-time.Minute) {
			t.Errorf("one that was raised twice: %+v", f)
		}
	})
}

// What is about many things is none while it is about none of them.
func TestCounts(t *testing.T) {
	n := 0
	list := NewList(slog.New(slog.DiscardHandler))
	c := list.Condition(Kind{Name: "leak", What: "roofs leak"}, "")
	c.Counts(func() int { return n })
	c.Raise("rain", "")
	if f, on := c.Finding(); on || len(list.Current()) > 0 {
		t.Errorf("of none: %v", f)
	}
	n = 3
	if f, on := c.Finding(); !on || f.What != "3 roofs leak" {
		t.Errorf("got %v (%v)", f, on)
	}
}

// Who waits hears of each beginning and each end, and of nothing else.
func TestChanged(t *testing.T) {
	list := NewList(slog.New(slog.DiscardHandler))
	c := list.Condition(Kind{Name: "rain", What: "it rains"}, "")
	for _, step := range []struct {
		what    string
		do      func()
		changed bool
	}{
		{"well all along", c.Clear, false},
		{"begins", func() { c.Raise("a cloud", "") }, true},
		{"goes on", func() { c.Raise("a cloud", "") }, false},
		{"ends", c.Clear, true},
	} {
		step.do()
		changed := false
		select {
		case <-list.Changed():
			changed = true
		default:
		}
		if changed != step.changed {
			t.Errorf("%s: changed is %v", step.what, changed)
		}
	}
}
