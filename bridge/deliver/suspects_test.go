package deliver

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// A refusal counts against a mail only if the mailbox took another one beside it
// or since the one before: the first says nothing, whatever was taken earlier.
func TestStrikes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s suspects
		for _, c := range []struct {
			id     string
			taken  uint64
			beside bool
			counts bool
		}{
			{"a", 5, false, false}, // the first
			{"a", 5, false, false}, // nothing was taken since
			{"a", 6, false, true},
			{"a", 6, false, false},
			{"b", 6, true, true}, // another one went in with it
		} {
			m, counts := s.strike(c.id, c.taken, c.beside)
			if counts != c.counts {
				t.Errorf("%s at %d: counts %v", c.id, c.taken, counts)
			}
			if !m.first.Equal(time.Now()) {
				t.Errorf("%s was refused first at %s", c.id, m.first)
			}
		}
		if m, _ := s.get("a"); m.strikes != 4 {
			t.Errorf("refused %d times, not 4", m.strikes)
		}
	})
}

// Who is refused while others pass is told for two hours, who was given up for a day.
func TestSuspectsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s suspects
		s.strike("refused", 1, true)
		s.strike("perhaps", 1, false)
		s.giveUp("given")
		for _, c := range []struct {
			pass           time.Duration
			refused, given int
		}{{0, 1, 1}, {suspectTTL - 1, 1, 1}, {1, 0, 1}, {day - suspectTTL - 1, 0, 1}, {1, 0, 0}} {
			time.Sleep(c.pass)
			if refused, given := s.count(); refused != c.refused || given != c.given {
				t.Errorf("%d refused and %d given up, not %d and %d", refused, given, c.refused, c.given)
			}
		}
		if len(s.mails) > 0 {
			t.Errorf("%d are remembered", len(s.mails))
		}
	})
}

// A crowd of them is not kept beyond its time, though nobody counts.
func TestSuspectsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s suspects
		for i := range pruneAt + 10 {
			s.strike(fmt.Sprint(i), 0, false)
		}
		if len(s.mails) != pruneAt+10 {
			t.Errorf("%d of %d are remembered", len(s.mails), pruneAt+10)
		}
		time.Sleep(suspectTTL)
		if s.strike("new", 0, false); len(s.mails) != 1 {
			t.Errorf("%d are remembered", len(s.mails))
		}
	})
}
