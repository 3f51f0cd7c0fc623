package collect_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"covebridge/bridge/backup"
	"covebridge/bridge/internal/realtest"
)

// For wild histories, poll times, crashes, outages of history, texts and
// commits, clocks that are off and jump: each session that ended is told of in
// exactly one mail, with its status, and nothing false is. The short form draws
// the same worlds each time, the long one others.
func TestTorturePromise(t *testing.T) {
	worlds := map[string]string{"rapid.seed": "20261124", "rapid.checks": fmt.Sprint(realtest.Raced(100, 20))}
	if os.Getenv("COVEBRIDGE_TORTURE") == "1" {
		worlds = map[string]string{"rapid.checks": "2000"}
	}
	for name, value := range worlds {
		if err := flag.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		w := drawWorld(t, rt)
		outages := rapid.Bool().Draw(rt, "history goes away at times")
		w.starts = rapid.Bool().Draw(rt, "statistics tell starts")
		ours := rapid.Bool().Draw(rt, "it is our clock that jumps")
		for range rapid.IntRange(3, 40).Draw(rt, "polls") {
			w.noHistory = outages && rapid.IntRange(0, 3).Draw(rt, "history out") == 0
			w.noErrors = rapid.IntRange(0, 5).Draw(rt, "errors out") == 0
			w.err = nil
			if rapid.IntRange(0, 7).Draw(rt, "disk full") == 0 {
				w.err = errors.New("disk full")
			}
			w.advanceBoth(time.Duration(rapid.SampledFrom([]int{1, 5, 15, 15, 15, 60, 300}).Draw(rt, "minutes")) * time.Minute)
			if rapid.IntRange(0, 5).Draw(rt, "a clock jumps") == 0 {
				by := time.Duration(rapid.SampledFrom([]int{-800, -7, 7, 800}).Draw(rt, "hours")) * time.Hour
				if ours {
					w.clock = w.clock.Add(by)
				} else {
					w.clockOff += by
				}
			}
			sweep := rapid.IntRange(0, 3).Draw(rt, "sweep") == 0
			_, _ = w.Poll(context.Background(), w.product, sweep, false) // what went wrong is made up for
			w.nothingFalse(rt)
			if rapid.IntRange(0, 4).Draw(rt, "crash") == 0 {
				w.restart()
			}
		}
		w.noHistory, w.noErrors, w.err, w.clockOff, w.clock = false, false, nil, 0, w.now
		for range 4 * 40 { // everything ends, and everything works
			w.advanceBoth(15 * time.Minute)
			if _, err := w.Poll(context.Background(), w.product, false, false); err != nil {
				rt.Fatal(err)
			}
			w.nothingFalse(rt)
		}
		w.settled(rt, outages)
	})
}

// drawWorld makes some devices with a day's sessions, all after the first poll.
func drawWorld(t *testing.T, rt *rapid.T) *world {
	w := newWorld(t, silence)
	w.skew = time.Duration(rapid.IntRange(-40, 40).Draw(rt, "skew")) * time.Second
	w.vague = rapid.Bool().Draw(rt, "starts of running ones are not told")
	for id := range rapid.IntRange(1, 3).Draw(rt, "devices") {
		id := fmt.Sprint(id)
		var lines []string
		for _, source := range []string{"Files", "System"}[:rapid.IntRange(1, 2).Draw(rt, "sources")] {
			at := rapid.IntRange(1, 300).Draw(rt, "first")
			for range rapid.IntRange(0, 12).Draw(rt, "sessions") {
				end := at + rapid.IntRange(0, 90).Draw(rt, "length")
				status := []string{"Success", "Warning", "Failed", "Restarted"}[rapid.SampledFrom([]int{0, 0, 0, 1, 2, 2, 3}).Draw(rt, "status")]
				lines = append(lines, fmt.Sprintf("%s %d:%02d-%d:%02d %s", source, at/60, at%60, end/60, end%60, status))
				at = end + rapid.SampledFrom([]int{1, 1, 3, 12, 60, 200}).Draw(rt, "gap")
			}
		}
		w.device(id, strings.Join(lines, "\n"))
		w.offset[id] = time.Duration(rapid.SampledFrom([]int{0, 0, 0, -70, -6, 6}).Draw(rt, "clock off by")) * time.Hour
		for _, s := range w.truth[id] {
			switch rapid.IntRange(0, 9).Draw(rt, "listing") {
			case 0:
				w.late[s.ID] = true
			case 1:
				w.late[s.ID], w.delay[s.ID] = true, time.Duration(rapid.IntRange(5, 50).Draw(rt, "minutes late"))*time.Minute
			}
		}
	}
	if _, err := w.Poll(context.Background(), w.product, false, false); err != nil {
		t.Fatal(err)
	}
	return w
}

// nothingFalse checks that no device is told of as silent that was not, and no
// run as overdue: none of these takes a day.
func (w *world) nothingFalse(rt *rapid.T) {
	for _, e := range w.queued() {
		if e.Run.Kind == backup.Whole || w.silenceChecked[e.Run.ID] {
			continue
		}
		if w.silenceChecked == nil {
			w.silenceChecked = map[string]bool{}
		}
		w.silenceChecked[e.Run.ID] = true
		last := epoch
		for _, s := range w.truth[e.Run.Device.ID] {
			if !s.End.After(w.now) && s.End.After(last) && s.State == backup.Ended {
				last = s.End
			}
		}
		if e.Run.Kind == backup.Overdue || w.now.Sub(last) < 42*time.Hour { // within a gap between polls of the limit
			w.dump(rt, e.Run.Device.ID)
			rt.Errorf("at %s a false %s", w.now, e.Run.ID)
		}
	}
}

// settled checks what went out. Where the history was away, statistics alone
// told of some sessions, and a restarted one may have been told of.
func (w *world) settled(rt *rapid.T, outages bool) {
	in := map[string][]backup.Session{}
	for _, e := range w.queued() {
		for _, s := range e.Run.Sessions {
			if e.Run.Kind != backup.Whole {
				continue
			}
			in[e.Run.Device.ID+s.Source.Key] = append(in[e.Run.Device.ID+s.Source.Key], s)
		}
	}
	for id, sessions := range w.truth {
		want := map[string][]backup.Session{}
		for _, s := range sessions {
			if s.State == backup.Ended {
				want[s.Source.Key] = append(want[s.Source.Key], s)
			}
		}
		for source, all := range want {
			got := in[id+source]
			for _, s := range all {
				n := 0
				for _, g := range got {
					if g.ID == s.ID {
						if n++; g.Status != s.Status {
							rt.Errorf("session %s is told of as %s, want %s", s.ID, g.Status, s.Status)
						}
					}
				}
				if n > 1 || n == 0 && !outages {
					w.dump(rt, id)
					rt.Errorf("session %s of device %s, %s to %s, is in %d mails", s.ID, id, s.Start.Format("15:04"), s.End.Format("15:04"), n)
				}
			}
			if restarted := len(w.restarted(id, source)); len(got) < len(all) || len(got) > len(all)+restarted {
				w.dump(rt, id)
				rt.Errorf("device %s, %s: %d sessions are told of, want %d, or %d with the restarted ones", id, source, len(got), len(all), len(all)+restarted)
			}
		}
	}
}

func (w *world) restarted(id, source string) (all []backup.Session) {
	for _, s := range w.truth[id] {
		if s.State == backup.Restarted && s.Source.Key == source {
			all = append(all, s)
		}
	}
	return all
}

// dump logs what is true of a device, what was told of it, and what is known.
func (w *world) dump(rt *rapid.T, id string) {
	for _, s := range w.truth[id] {
		rt.Logf("true: %s %s %s-%s %s, off %s", s.ID, s.Source.Key, s.Start.Format("02 15:04"), s.End.Format("15:04"), s.State, w.offset[id])
	}
	for _, e := range w.queued() {
		if e.Run.Device.ID == id {
			for _, s := range e.Run.Sessions {
				rt.Logf("told: %s %s %s-%s %s in %s", s.ID, s.Source.Key, s.Start.Format("02 15:04"), s.End.Format("15:04"), s.State, e.Run.ID)
			}
		}
	}
	j := w.journal("acme-" + id)
	for _, k := range j.Sessions {
		rt.Logf("known: %s %s %s-%s %s told %s in %s", k.ID, k.Source.Key, k.Start.Format("02 15:04"), k.End.Format("15:04"), k.State, k.Told.Format("15:04"), k.Run)
	}
	rt.Logf("floor %s, seq %d, heard %v, no history %q, missing %s, again %v", j.Floor, j.Seq, j.Acknowledged, j.NoHistory, j.MissingSince, j.Reread)
	for _, k := range j.Running {
		rt.Logf("running: %s %s begun %s", k.Source.Key, k.Start.Format("02 15:04"), k.BegunAt)
	}
	for _, p := range j.Pending {
		rt.Logf("pending: %s %s-%s", p.Source.Key, p.Start.Format("02 15:04"), p.End.Format("15:04"))
	}
}
