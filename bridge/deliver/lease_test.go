package deliver

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"covebridge/bridge/backup"
)

// A lease that is over before the first byte, as on a machine that was paused,
// loses no mail and holds none.
func TestLostLease(t *testing.T) {
	with(t, func(r *rig) {
		r.store.queue("one", 0, backup.Success)
		r.store.queue("one", 1, backup.Success)
		r.store.put("other", 5, backup.Success)
		var once sync.Once
		r.box.before = func(context.Context) error {
			once.Do(func() {
				r.store.mu.Lock()
				defer r.store.mu.Unlock()
				r.store.get("one-0").until = time.Time{}
			})
			return nil
		}
		r.during(10 * time.Second)
		r.want("one", 2)
		r.want("other", 5)
		r.wantStates(7, 0, 0, 0)
	})
}

// All leases are over: nothing is sent before they were taken again.
func TestLostLeases(t *testing.T) {
	with(t, func(r *rig) {
		r.store.put("d", 5, backup.Success)
		var once sync.Once
		r.box.before = func(context.Context) error {
			once.Do(func() { time.Sleep(time.Hour) })
			return nil
		}
		r.out.setFault(func(ctx context.Context, op string) error {
			if op == "renew" {
				return errors.New("connection refused")
			}
			return nil
		})
		r.during(2 * time.Hour)
		r.want("d", 5)
		r.wantStates(5, 0, 0, 0)
	})
}

// Leases are kept while a delivery lasts.
func TestRenew(t *testing.T) {
	with(t, func(r *rig) {
		r.store.put("d", 2, backup.Success)
		r.box.time = 70 * time.Second // longer than a lease
		other := r.deliverer(r.store.of("b"), 1)
		ctx, stop := context.WithTimeout(context.Background(), 5*time.Minute)
		defer stop()
		var all sync.WaitGroup
		all.Go(func() { r.Run(ctx) })
		all.Go(func() { other.Run(ctx) })
		all.Wait()
		r.want("d", 2)
		r.wantStates(2, 0, 0, 0)
	})
}

// When the leases can't be renewed, what is in the air is broken off before
// another bridge may take it; when the ledger is there again, work goes on.
func TestLeasesCannotBeRenewed(t *testing.T) {
	for _, hangs := range []bool{false, true} {
		with(t, func(r *rig) {
			r.store.put("d", 40, backup.Success)
			broken := make(chan time.Duration, 10)
			began := time.Now()
			r.box.after = func(ctx context.Context) error {
				if time.Since(began) > time.Minute {
					return nil
				}
				<-ctx.Done()
				broken <- time.Since(began)
				return ctx.Err()
			}
			stop := r.start()
			time.Sleep(time.Second)
			away := make(chan struct{})
			r.out.setFault(func(context.Context, string) error {
				if hangs {
					<-away
				}
				return errors.New("connection refused")
			})
			time.Sleep(2 * time.Minute)
			if after := <-broken; after != 40*time.Second {
				t.Errorf("broken off after %s, with leases of a minute", after)
			}
			r.out.setFault(nil)
			close(away)
			time.Sleep(2 * time.Minute)
			r.want("d", 40)
			r.wantStates(40, 0, 0, 0)
			if lines := r.log.alarms(); len(lines) != 1 {
				t.Errorf("got %q", lines)
			}
			if len(r.log.with("over: the outbox")) != 1 || len(r.Findings.Current()) > 0 {
				t.Errorf("got %+v", r.Findings.Current())
			}
			stop()
		})
	}
}

// Leases that can't be renewed are watched over each time, not only the first.
func TestLeasesCannotBeRenewedAgain(t *testing.T) {
	with(t, func(r *rig) {
		r.out.setFault(func(_ context.Context, op string) error {
			if op == "renew" {
				return errors.New("connection refused")
			}
			return nil
		})
		broken := make(chan time.Time, 10)
		var hang atomic.Bool
		r.box.after = func(ctx context.Context) error {
			if hang.CompareAndSwap(true, false) {
				<-ctx.Done()
				broken <- time.Now()
				return ctx.Err()
			}
			return nil
		}
		stop := r.start()
		for _, name := range []string{"a", "b", "c"} {
			time.Sleep(10 * time.Minute) // there is nothing in the air to be broken off
			hang.Store(true)
			began := time.Now()
			r.store.put(name, 1, backup.Success)
			r.Wake()
			if after := (<-broken).Sub(began); after != 40*time.Second {
				t.Errorf("%s was broken off after %s, with leases of a minute", name, after)
			}
		}
		time.Sleep(10 * time.Minute)
		stop()
		r.wantStates(3, 0, 0, 0)
	})
}

// Bridges on one ledger deliver each mail once, and order what is a device's.
func TestSharedLedger(t *testing.T) {
	with(t, func(r *rig) {
		for i := range 300 {
			r.store.queue([]string{"a", "b", "c", "d"}[i%4], i, backup.Success)
		}
		r.store.put("x", 300, backup.Success)
		r.box.time = 100 * time.Millisecond
		ctx, stop := context.WithTimeout(context.Background(), 10*time.Minute)
		defer stop()
		var all sync.WaitGroup
		for _, owner := range []string{"a", "b", "c"} {
			d := r.deliverer(r.store.of(owner), 2)
			all.Go(func() { d.Run(ctx) })
		}
		all.Wait()
		r.want("", 600)
		last := map[string]int64{}
		for _, id := range r.box.order {
			run := r.store.get(id).Run
			if nth := run.End.Unix(); run.Device.ID[0] != 'x' && nth < last[run.Device.ID] {
				t.Errorf("%s came behind a later one", id)
			} else {
				last[run.Device.ID] = nth
			}
		}
	})
}

// What another bridge took over meanwhile is not sent, and the rest of its batch is.
func TestTakenOver(t *testing.T) {
	with(t, func(r *rig) {
		r.store.put("d", 5, backup.Success)
		var once sync.Once
		r.box.before = func(context.Context) error {
			once.Do(func() {
				r.store.mu.Lock()
				defer r.store.mu.Unlock()
				for _, id := range []string{"d1-0", "d3-0"} {
					e := r.store.get(id)
					e.owner, e.State, e.Mark = "b", backup.EntrySending, "mark"
				}
			})
			return nil
		}
		r.Drain(context.Background())
		r.wantStates(3, 0, 2, 0)
		r.want("d1", 0)
		r.want("d3", 0)
	})
}

// After all leases were lost, trouble with the ledger begins and ends as before.
func TestLostLeasesAndALedgerThatFails(t *testing.T) {
	with(t, func(r *rig) {
		r.store.put("d", 5, backup.Success)
		var once sync.Once
		r.box.before = func(context.Context) error {
			once.Do(func() {
				r.store.mu.Lock()
				defer r.store.mu.Unlock()
				for _, e := range r.store.entries {
					e.until = time.Time{}
				}
			})
			return nil
		}
		began := time.Now()
		r.out.setFault(func(_ context.Context, op string) error {
			if op == "record" && time.Since(began) < 20*time.Second {
				return errDisk
			}
			return nil
		})
		stop := r.start()
		time.Sleep(10 * time.Second)
		if f := r.Findings.Current(); len(f) != 1 || f[0].Name != "ledger_failing" {
			t.Errorf("got %+v", f)
		}
		time.Sleep(time.Minute)
		r.wantStates(5, 0, 0, 0)
		if slices.Contains(r.box.sizes, 0) {
			t.Errorf("deliveries of %v mails", r.box.sizes)
		}
		if f := r.Findings.Current(); len(f) > 0 {
			t.Errorf("got %+v", f)
		}
		stop()
	})
}

// A lease counts from when it was asked for: how long the answer took is not added.
func TestSlowRenewal(t *testing.T) {
	with(t, func(r *rig) {
		r.store.put("d", 1, backup.Success)
		var once sync.Once
		r.out.setFault(func(_ context.Context, op string) (err error) {
			if op != "renew" {
				return nil
			}
			err = errors.New("connection refused")
			once.Do(func() {
				time.Sleep(5 * time.Second)
				err = nil
			})
			return err
		})
		broken := make(chan time.Duration, 1)
		began := time.Now()
		r.box.after = func(ctx context.Context) error {
			<-ctx.Done()
			broken <- time.Since(began)
			return ctx.Err()
		}
		stop := r.start()
		// Leases of a minute are renewed after 15 s, and broken off 40 s after that.
		if after := <-broken; after != 55*time.Second {
			t.Errorf("broken off after %s", after)
		}
		stop()
	})
}

// A renewal that hangs is given up in time for another one.
func TestHangingRenewal(t *testing.T) {
	with(t, func(r *rig) {
		r.store.put("d", 1, backup.Success)
		var once sync.Once
		r.out.setFault(func(ctx context.Context, op string) (err error) {
			if op == "renew" {
				once.Do(func() { <-ctx.Done(); err = ctx.Err() })
			}
			return err
		})
		r.box.after = func(ctx context.Context) error {
			select {
			case <-ctx.Done():
			case <-time.After(50 * time.Second):
			}
			return ctx.Err()
		}
		r.during(time.Minute)
		r.want("d", 1)
		r.wantStates(1, 0, 0, 0)
		if n, _ := r.box.tries(); n != 1 {
			t.Errorf("%d deliveries", n)
		}
	})
}
