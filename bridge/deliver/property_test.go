package deliver

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"covebridge/bridge/backup"
	"covebridge/bridge/internal/realtest"
	"covebridge/bridge/mailbox"
)

// weather is all that happens to one outbox and one mailbox, before it clears up.
type weather struct {
	connections, bridges, batch int
	mails                       []int     // of each device
	replies                     [][]reply // of each mail, try by try
	finds                       []int     // of each question: 0 answered, else an error
	ledger                      []int     // of each call: 0 works, 1 fails, 2 works and fails
	kills                       []int     // after so many seconds a bridge dies
}

func drawWeather(t *rapid.T) (w weather) {
	w.connections = rapid.IntRange(1, 3).Draw(t, "connections")
	w.bridges = rapid.IntRange(1, 3).Draw(t, "bridges")
	w.batch = rapid.IntRange(1, 8).Draw(t, "batch")
	w.mails = rapid.SliceOfN(rapid.IntRange(1, 5), 1, 10).Draw(t, "mails")
	n := 0
	for _, m := range w.mails {
		n += m
	}
	answer := rapid.Map(rapid.IntRange(0, 20), func(n int) reply {
		switch {
		case n == 20:
			return final
		case n > int(mute):
			return takes
		case reply(n) == final:
			return cuts
		}
		return reply(n)
	})
	w.replies = rapid.SliceOfN(rapid.SliceOfN(answer, 0, 6), n, n).Draw(t, "replies")
	w.finds = rapid.SliceOfN(rapid.IntRange(0, 3), 0, 20).Draw(t, "finds")
	w.ledger = rapid.SliceOfN(rapid.SampledFrom([]int{0, 0, 0, 1, 2}), 0, 60).Draw(t, "ledger")
	w.kills = rapid.SliceOfN(rapid.IntRange(0, 200), 0, 6).Draw(t, "kills")
	return w
}

// Whatever goes wrong, each mail arrives once or is given up for a reason that is
// final, and those of a device arrive in their order.
func TestEachArrivesOnce(t *testing.T) {
	if f := flag.Lookup("rapid.checks"); f.Value.String() == f.DefValue {
		if err := flag.Set(f.Name, fmt.Sprint(realtest.Raced(100, 20))); err != nil {
			t.Fatal(err)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		w := drawWeather(rt)
		var problems []string
		synctest.Test(t, func(t *testing.T) { problems = w.run() })
		for _, p := range problems {
			rt.Error(p)
		}
	})
}

// run lets the weather loose and tells what came out wrong.
func (w *weather) run() (problems []string) {
	store, box := newStore(), newBox()
	replies := map[string][]reply{}
	finals := map[string]bool{}
	for device, mails := range w.mails {
		for nth := range mails {
			e := store.queue(fmt.Sprint("d", device), nth, backup.Status((device+nth)%3))
			replies[e.Run.ID], w.replies = w.replies[0], w.replies[1:]
		}
	}
	box.reply = func(id string) reply {
		if len(replies[id]) == 0 {
			return takes
		}
		r := replies[id][0]
		replies[id] = replies[id][1:]
		finals[id] = finals[id] || r == final
		return r
	}
	box.find = func(context.Context, []mailbox.Query) error {
		if len(w.finds) == 0 {
			return nil
		}
		f := w.finds[0]
		w.finds = w.finds[1:]
		if f == 0 {
			return nil
		}
		return &mailbox.Error{Op: "find", Class: mailbox.Class(f - 1), Text: "no answer", AskAgainAfter: time.Duration(f/3) * time.Minute}
	}
	log := slog.New(slog.DiscardHandler)
	var mu sync.Mutex
	next := func() (n int) {
		mu.Lock()
		defer mu.Unlock()
		if len(w.ledger) > 0 {
			n, w.ledger = w.ledger[0], w.ledger[1:]
		}
		return n
	}
	born := 0
	start := func() (kill func()) {
		born++
		out := store.of(fmt.Sprint("bridge", born))
		pending := false
		out.fault = func(context.Context, string) error {
			switch next() {
			case 1:
				return errDisk
			case 2:
				mu.Lock()
				pending = true
				mu.Unlock()
			}
			return nil
		}
		out.late = func(string) error {
			mu.Lock()
			defer mu.Unlock()
			if pending {
				pending = false
				return errors.New("the connection broke at the commit")
			}
			return nil
		}
		d := New(Options{Outbox: out, Mailbox: box, Log: log, Connections: w.connections, Batch: w.batch})
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan struct{})
		go func() { d.Run(ctx); close(ended) }()
		return func() {
			out.setFault(func(context.Context, string) error { return errors.New("the process is dead") })
			cancel()
			<-ended
		}
	}
	var kills []func()
	for range w.bridges {
		kills = append(kills, start())
	}
	for i, after := range w.kills {
		time.Sleep(time.Duration(after) * time.Second)
		kills[i%w.bridges]()
		kills[i%w.bridges] = start()
	}
	time.Sleep(12 * time.Hour)
	for _, kill := range kills {
		kill()
	}
	last := map[string]int64{}
	for _, id := range box.order {
		run := store.get(id).Run
		if nth := run.End.Unix(); nth < last[run.Device.ID] {
			problems = append(problems, id+" came behind a later one")
		} else {
			last[run.Device.ID] = nth
		}
	}
	for _, e := range store.entries {
		came := box.there[e.Run.ID]
		switch {
		case came == 1 && e.State == backup.EntrySent, came == 0 && e.State == backup.EntryFailed && finals[e.Run.ID]:
		default:
			problems = append(problems, fmt.Sprintf("%s came %d times and is %s: %s", e.Run.ID, came, e.State, e.Reason))
		}
	}
	return problems
}
