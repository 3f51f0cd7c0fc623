package collect_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/internal/realtest"
)

// Devices whose clocks are hours or days off lose nothing, and nothing false is
// mailed of them.
func TestDeviceClocks(t *testing.T) {
	hours := realtest.Raced(60, 20) // in which it backs up every 25 minutes
	for _, off := range []time.Duration{-72 * time.Hour, -6 * time.Hour, 6 * time.Hour} {
		w := newWorld(t, silence)
		var lines []string
		for m := 5; m < 60*hours; m += 25 {
			lines = append(lines, fmt.Sprintf("Files %d:%02d-%d:%02d", m/60, m%60, (m+3)/60, (m+3)%60))
		}
		w.device("1", strings.Join(lines, "\n"))
		w.offset["1"], w.noSeq = off, off < -6*time.Hour
		w.until("01:00")
		w.until(fmt.Sprintf("%d:00", hours+10))
		w.compare(w.at("01:00"))
		for _, told := range w.summaries() {
			if told != "Success srv1" {
				t.Errorf("clock %s off: %s", off, told)
			}
		}
	}
}

// A device's clock that is put right, by days in either direction.
func TestDeviceClockJumps(t *testing.T) {
	for _, off := range []time.Duration{-72 * time.Hour, 72 * time.Hour} {
		w := newWorld(t, silence)
		w.device("1", "Files 01:00-01:05\nFiles 03:00-03:05 Failed\nFiles 05:00-05:05\nFiles 07:00-07:05 Failed\nFiles 09:00-09:05\nFiles 30:00-30:05")
		w.until("04:00")
		for i := range w.truth["1"][2:] { // from here on the device tells another time
			s := &w.truth["1"][2+i]
			s.Start, s.End = s.Start.Add(off), s.End.Add(off)
		}
		w.offset["1"] = 0
		w.shift = func(s backup.Session) time.Duration {
			if s.ID > "1-1" {
				return off
			}
			return 0
		}
		w.until("40:00")
		w.compare(epoch.Add(-100 * 24 * time.Hour))
		if n := len(w.queued()); n != 6 {
			t.Errorf("clock jumps by %s: %q", off, w.summaries())
		}
	}
}

// The Date header, or our own clock, is wrong: for one poll, or for long.
func TestClockJumps(t *testing.T) {
	for _, whose := range []string{"the product's", "ours"} {
		for _, off := range []time.Duration{-30 * 24 * time.Hour, -6 * time.Hour, 6 * time.Hour, 30 * 24 * time.Hour} {
			for _, polls := range []int{1, 30} {
				t.Run(fmt.Sprint(whose, off, polls), func(t *testing.T) {
					w := newWorld(t, silence)
					w.device("1", "Files 01:00-01:30\nSystem 03:40-03:50\nFiles 04:10-04:20 Failed\nFiles 04:40-04:45\nFiles 09:00-09:10\nFiles 40:00-40:10")
					w.device("2", "Files 01:00-01:30\nBig 03:00-20:00\nFiles 41:00-41:10")
					w.until("04:00")
					jump := func(by time.Duration) {
						if whose == "ours" {
							w.clock = w.clock.Add(by)
						} else {
							w.clockOff += by
						}
					}
					jump(off)
					for range polls {
						w.advanceBoth(15 * time.Minute)
						w.poll()
					}
					jump(-off)
					w.until("45:00")
					w.compare(epoch)
					for _, e := range w.queued() {
						if e.Run.Kind != backup.Whole {
							t.Errorf("a false %s", e.Run.ID)
						}
					}
				})
			}
		}
	}
}
