package collect_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// daily gives a session a day from the first hour on, for so many days.
func daily(days int) string {
	var lines []string
	for d := range days {
		lines = append(lines, fmt.Sprintf("Files %d:00-%d:10 Success", 24*d+1, 24*d+1))
	}
	return strings.Join(lines, "\n")
}

// silent counts the mails about silence.
func (w *world) silent() (n int) {
	for _, told := range w.summaries() {
		if strings.Contains(told, "silence") {
			n++
		}
	}
	return n
}

// A machine whose clock stood still while it slept, as one put back to a
// snapshot, takes no device for silent once its clock is set.
func TestClockStoodStill(t *testing.T) {
	w := newWorld(t, silence)
	w.device("1", daily(30))
	w.until("24:00")
	slept := w.clock
	w.advanceBoth(21 * 24 * time.Hour)
	w.clock = slept
	w.poll()
	w.until("533:00")
	w.clock = w.now
	w.until("540:00")
	if w.silent() > 0 {
		t.Error(w.summaries())
	}
}

// Nor does one whose clock was behind when it was first started.
func TestFirstPollWithClockBehind(t *testing.T) {
	for _, behind := range []time.Duration{3 * 24 * time.Hour, 60 * 24 * time.Hour} {
		w := newWorld(t, silence)
		w.device("1", daily(5))
		w.advance(30*time.Hour + 30*time.Minute)
		w.clock = w.now.Add(-behind)
		w.poll()
		w.until("31:00")
		w.clock = w.now
		w.until("40:00")
		w.want("Success srv1")
	}
}

// Where one clock jumps ahead as the other is put back, no time passed.
func TestClocksJumpApart(t *testing.T) {
	w := newWorld(t, silence)
	w.device("1", daily(3))
	w.until("24:00")
	w.clock = w.clock.Add(-7 * 24 * time.Hour)
	w.clockOff = 7 * 24 * time.Hour
	w.until("30:00")
	w.clock, w.clockOff = w.now, 0
	w.until("40:00")
	w.want("Success srv1", "Success srv1")
}

// A device that falls silent while the clocks disagree is told of in time, as
// one of them goes on evenly.
func TestSilentWhileClocksDisagree(t *testing.T) {
	w := newWorld(t, silence)
	w.device("1", daily(2))
	w.until("24:00")
	w.clock = w.clock.Add(-7 * 24 * time.Hour)
	w.until("72:00")
	w.clock = w.now
	w.until("73:00")
	w.want("Success srv1", "Success srv1")
	w.until("73:30")
	w.want("Success srv1", "Success srv1", "Warning srv1 silence")
}
