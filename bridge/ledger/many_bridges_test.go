package ledger

import (
	"sync"
	"testing"
	"time"

	"covebridge/bridge/backup"
)

// TestManyBridges: several bridges drain one ledger. None takes what another
// has, and the mails of a device go out in order.
func TestManyBridges(t *testing.T) {
	p := postgresPlace(t)
	const devices, runs = 20, 10
	first := p.open(t)
	for n := range devices {
		var entries []backup.Entry
		for i := range runs {
			entries = append(entries, entry(device(n), time.Duration(i)*time.Hour, backup.Status((n+i)%3)))
		}
		commit(t, first, entries...)
	}
	var mu sync.Mutex
	got := map[string][]time.Time{}
	bridge := func(l *Ledger) error {
		for {
			taken, err := l.Take(t.Context(), 3)
			if err != nil {
				return err
			}
			if len(taken) == 0 {
				// The others work on what is left; it is over when nothing waits.
				if _, some, err := l.NextDue(t.Context()); err != nil || !some {
					return err
				}
				continue
			}
			var ids []string
			var outcomes []backup.Outcome
			for _, e := range taken {
				ids = append(ids, e.Run.ID)
				outcomes = append(outcomes, sent(e.Run.ID, l.Owner()))
				mu.Lock()
				key := e.Run.Device.Key()
				got[key] = append(got[key], e.Run.End)
				mu.Unlock()
			}
			if lost, err := l.Begin(t.Context(), ids, ""); err != nil || len(lost) > 0 {
				t.Errorf("lost %v, %v", lost, err)
			}
			if err := l.Record(t.Context(), outcomes); err != nil {
				return err
			}
		}
	}
	var group sync.WaitGroup
	for range 4 {
		l := p.open(t)
		group.Go(func() {
			if err := bridge(l); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	for n := range devices {
		ends := got[device(n).Key()]
		if len(ends) != runs {
			t.Errorf("device %d: %d mails", n, len(ends))
		}
		for i := 1; i < len(ends); i++ {
			if !ends[i].After(ends[i-1]) {
				t.Errorf("device %d: %s after %s", n, ends[i], ends[i-1])
			}
		}
	}
}
