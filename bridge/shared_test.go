package bridge_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"covebridge/bridge"
	"covebridge/bridge/backup"
	"covebridge/bridge/internal/pgtest"
)

// Three bridges on one ledger poll and deliver at the same time: each run comes
// once, and no part of a large account is left out.
func TestSharedLedger(t *testing.T) {
	w := &world{
		TB: t, product: &product{name: "acme", now: epoch, truth: map[string][]backup.Session{}, asked: map[string]int64{}},
		box: &box{}, url: pgtest.URL(t), opts: func(o *bridge.Options) { o.Part, o.Connections = 4, 3 },
	}
	const devices, runs = 30, 5
	for id := range devices {
		lines := ""
		for run := range runs {
			lines += fmt.Sprintf("Files %d:%02d-%d:30\n", run*3+1, id, run*3+1)
		}
		w.device(fmt.Sprint(100+id), lines)
	}
	bridges := make([]*bridge.Bridge, 3)
	for i := range bridges {
		w.start()
		bridges[i] = w.Bridge
		defer w.Bridge.Close()
	}
	for range 10 {
		w.advance(2 * time.Hour)
		var all sync.WaitGroup
		for _, b := range bridges {
			all.Go(func() {
				if _, err := b.Once(context.Background()); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	}
	arrived := w.count()
	for id, n := range arrived {
		if n != 1 {
			t.Errorf("%s arrived %d times", id, n)
		}
	}
	if len(arrived) != devices*runs {
		t.Errorf("%d mails, want %d", len(arrived), devices*runs)
	}
}
