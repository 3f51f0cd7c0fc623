package bridge_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"covebridge/bridge/backup"
	"covebridge/bridge/mailbox"
)

// For random histories, poll times, crashes, outages of history and of the
// mailbox, lost answers and clock steps: each session that ended is told of in
// exactly one mail, and no mail comes twice.
func TestPromise(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := drawWorld(t, rt)
		defer func() { w.Bridge.Close(); os.RemoveAll(w.path) }()
		for range rapid.IntRange(3, 25).Draw(rt, "polls") {
			w.noHistory = rapid.IntRange(0, 3).Draw(rt, "history out") == 0
			w.noErrors = rapid.IntRange(0, 5).Draw(rt, "errors out") == 0
			w.drawFaults(rt)
			step := time.Duration(rapid.IntRange(1, 300).Draw(rt, "minutes")) * time.Minute
			w.advance(step)
			w.clock = w.clock.Add(step + time.Duration(rapid.IntRange(-200, 200).Draw(rt, "clock steps by"))*time.Minute)
			_, _ = w.Once(context.Background()) // what went wrong is made up for
			if rapid.IntRange(0, 4).Draw(rt, "crash") == 0 {
				w.restart()
			}
		}
		w.settleAll(rt)
		w.compare(rt)
	})
}

// drawWorld makes some devices with a day's sessions, all after the first poll.
func drawWorld(t *testing.T, rt *rapid.T) *world {
	dir, err := os.MkdirTemp(t.TempDir(), "promise")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{
		TB: t, product: &product{name: "acme", now: epoch, truth: map[string][]backup.Session{}, asked: map[string]int64{}, late: map[string]bool{}},
		box: &box{}, clock: epoch, path: dir + "/ledger.db",
	}
	w.skew = time.Duration(rapid.IntRange(-90, 90).Draw(rt, "skew")) * time.Second
	for id := range rapid.IntRange(1, 3).Draw(rt, "devices") {
		var lines []string
		for _, source := range []string{"Files", "System"}[:rapid.IntRange(1, 2).Draw(rt, "sources")] {
			at := rapid.IntRange(1, 300).Draw(rt, "first")
			for range rapid.IntRange(0, 12).Draw(rt, "sessions") {
				end := at + rapid.IntRange(0, 90).Draw(rt, "length")
				status := []string{"Success", "Warning", "Failed"}[rapid.IntRange(0, 2).Draw(rt, "status")]
				lines = append(lines, fmt.Sprintf("%s %d:%02d-%d:%02d %s", source, at/60, at%60, end/60, end%60, status))
				at = end + rapid.IntRange(5, 200).Draw(rt, "gap")
			}
		}
		w.device(fmt.Sprint(id), strings.Join(lines, "\n"))
		for _, s := range w.truth[fmt.Sprint(id)] {
			w.late[s.ID] = rapid.IntRange(0, 5).Draw(rt, "late") == 0
		}
	}
	w.start()
	if _, err := w.Once(context.Background()); err != nil {
		t.Fatal(err)
	}
	return w
}

// drawFaults says what goes wrong with the next deliveries.
func (w *world) drawFaults(rt *rapid.T) {
	kinds := rapid.SliceOfN(rapid.SampledFrom([]fault{none, none, none, unreachable, lost, unanswered, dies}), 8, 8).Draw(rt, "faults")
	var mu sync.Mutex
	n := 0
	w.fault = func(mailbox.Mail) fault {
		mu.Lock()
		defer mu.Unlock()
		n++
		return kinds[n%len(kinds)]
	}
}

// settleAll lets everything end and everything work, for long enough.
func (w *world) settleAll(rt *rapid.T) {
	w.noHistory, w.noErrors, w.fault = false, false, nil
	for range 4 {
		w.advance(48 * time.Hour)
		w.clock = w.clock.Add(48 * time.Hour)
		if _, err := w.Once(context.Background()); err != nil && !errors.Is(err, context.Canceled) {
			rt.Fatal(err)
		}
	}
}

// compare counts in the ledger in which runs each session is, and in the
// mailbox how often each run arrived.
func (w *world) compare(rt *rapid.T) {
	arrived := w.count()
	for id, n := range arrived {
		if n != 1 {
			rt.Errorf("%s arrived %d times", id, n)
		}
	}
	for _, d := range w.devices {
		known, err := w.Ledger.Sessions(context.Background(), d.Key(), time.Time{})
		if err != nil {
			rt.Fatal(err)
		}
		runs := map[string]string{}
		for _, s := range known {
			if s.ID == "" {
				rt.Errorf("a session that never was: %+v", s)
			}
			runs[s.ID] = s.Run
		}
		if len(known) != len(w.truth[d.ID]) {
			rt.Errorf("%d sessions became %d", len(w.truth[d.ID]), len(known))
		}
		for _, s := range w.truth[d.ID] {
			if run := runs[s.ID]; arrived[run+"@covebridge"] != 1 {
				rt.Errorf("session %s at %s is in run %q, which arrived %d times", s.ID, s.Start, run, arrived[run+"@covebridge"])
			}
		}
	}
}
