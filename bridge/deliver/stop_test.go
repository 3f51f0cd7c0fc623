package deliver

import (
	"context"
	"testing"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/mailbox"
)

// Told to stop while a mailbox is silent, it ends within 3 s. The mail stays in
// doubt, and is asked for at the next start.
func TestStopWhileSilent(t *testing.T) {
	with(t, func(r *rig) {
		r.store.put("d", 40, backup.Success)
		r.box.after = func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}
		stop := r.start()
		time.Sleep(time.Second)
		if took := stop(); took < 3*time.Second || took > 3100*time.Millisecond {
			t.Errorf("ended after %s", took)
		}
		if lines := r.log.alarms(); len(lines) > 0 {
			t.Errorf("got %q", lines)
		}
		if f := r.Findings.Current(); len(f) > 0 {
			t.Errorf("it is no trouble to be stopped: %+v", f)
		}
		for i := range 32 {
			if e := r.store.entries[i]; !e.Doubt && e.State != backup.EntrySending {
				t.Fatalf("not in doubt: %+v", e)
			}
		}
		r.box.after = nil
		r.Deliverer = r.deliverer(r.out, 1)
		r.during(2 * time.Minute)
		r.want("d", 40)
		if n := len(r.box.asked[0]); n != 32 {
			t.Errorf("%d were asked for", n)
		}
	})
}

// A question that a stop breaks off says nothing about a mail: the next start
// asks at once, and need not wait as after a broken delivery.
func TestStopWhileAsking(t *testing.T) {
	with(t, func(r *rig) {
		e := r.store.queue("d", 0, backup.Success)
		e.Doubt = true
		r.box.find = func(ctx context.Context, _ []mailbox.Query) error {
			<-ctx.Done()
			return ctx.Err()
		}
		stop := r.start()
		time.Sleep(time.Second)
		if took := stop(); took > 0 {
			t.Errorf("ended after %s", took)
		}
		if !e.Doubt || e.owner != "" || e.Reason != "" {
			t.Errorf("not as before: %+v", e)
		}
		r.box.find = nil
		r.Deliverer = r.deliverer(r.out, 1)
		r.during(time.Second)
		r.want("d", 1)
	})
}

// What ends within the grace is recorded as it ended.
func TestStopWhileSending(t *testing.T) {
	with(t, func(r *rig) {
		r.store.put("d", 200, backup.Success)
		r.box.time = 2 * time.Second
		stop := r.start()
		time.Sleep(time.Second)
		if took := stop(); took != time.Second {
			t.Errorf("ended after %s", took)
		}
		r.want("d", 32)
		r.wantStates(32, 168, 0, 0)
		for _, e := range r.store.entries {
			if e.owner != "" {
				t.Fatalf("not given back: %+v", e)
			}
		}
	})
}

// Nothing is begun any more, though it was taken already.
func TestStopBeforeBegin(t *testing.T) {
	with(t, func(r *rig) {
		r.store.put("d", 200, backup.Success)
		r.box.before = func(context.Context) error {
			time.Sleep(2 * time.Second)
			return nil
		}
		stop := r.start()
		time.Sleep(time.Second)
		stop()
		r.want("d", 0)
		r.wantStates(0, 200, 0, 0)
		for _, e := range r.store.entries {
			if e.owner != "" || e.Doubt {
				t.Fatalf("not given back: %+v", e)
			}
		}
		if lines := r.log.alarms(); len(lines) > 0 {
			t.Errorf("got %q", lines)
		}
	})
}

// It ends though a mailbox or a ledger hangs and heeds no context.
func TestStopWhileHanging(t *testing.T) {
	for _, hangs := range []string{"mailbox", "take", "begin", "record", "renew", "release", "due"} {
		t.Run(hangs, func(t *testing.T) {
			with(t, func(r *rig) {
				release := make(chan struct{})
				r.store.put("d", 40, backup.Success)
				if hangs == "mailbox" {
					r.box.after = func(context.Context) error {
						<-release
						return nil
					}
				}
				r.out.setFault(func(_ context.Context, op string) error {
					if op == hangs {
						<-release
					}
					return nil
				})
				stop := r.start()
				time.Sleep(20 * time.Second)
				if took := stop(); took > 4*time.Second {
					t.Errorf("ended after %s", took)
				}
				close(release)
				if lines := r.log.alarms(); len(lines) > 0 {
					t.Errorf("got %q", lines)
				}
			})
		})
	}
}

// What was delivered is recorded however long the ledger takes over it.
func TestLedgerIsHeld(t *testing.T) {
	with(t, func(r *rig) {
		r.store.put("d", 40, backup.Success)
		r.box.deaf = true
		held := make(chan struct{})
		r.out.setFault(func(ctx context.Context, op string) error {
			if op != "record" {
				return nil
			}
			select {
			case <-held:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		stop := r.start()
		time.Sleep(2 * time.Minute)
		close(held)
		time.Sleep(time.Second)
		r.want("d", 40)
		r.wantStates(40, 0, 0, 0)
		stop()
	})
}

// A connection that goes silent holds up its own mails only, and not for ever.
func TestSilentConnection(t *testing.T) {
	with(t, func(r *rig) {
		r.Deliverer = r.deliverer(r.out, 4)
		r.store.put("d", 500, backup.Success)
		silent := make(chan struct{}, 1)
		silent <- struct{}{}
		r.box.after = func(ctx context.Context) error {
			select {
			case <-silent:
				<-ctx.Done()
				return ctx.Err()
			default:
				return nil
			}
		}
		stop := r.start()
		time.Sleep(time.Second)
		r.want("d", 500-32)
		time.Sleep(deliveryTimeout(32) + time.Minute)
		r.want("d", 500)
		r.wantStates(500, 0, 0, 0)
		stop()
	})
}
