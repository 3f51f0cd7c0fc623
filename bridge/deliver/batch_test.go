package deliver

import (
	"context"
	"slices"
	"testing"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/finding"
)

// A batch costs two transactions beside the one that takes it.
func TestTwoTransactionsABatch(t *testing.T) {
	with(t, func(r *rig) {
		r.store.put("d", 500, backup.Success)
		if c := r.Drain(context.Background()); c != (Counts{Sent: 500}) {
			t.Errorf("got %+v", c)
		}
		r.want("d", 500)
		r.wantStates(500, 0, 0, 0)
		if b, w := r.out.called("begin"), r.out.called("record"); b != 16 || w != 16 {
			t.Errorf("500 mails took %d begins and %d records, not 16 of each", b, w)
		}
	})
}

// A device's mails go one after the other, in the order of its runs' ends.
func TestOrderOfADevice(t *testing.T) {
	with(t, func(r *rig) {
		for i := range 20 {
			r.store.queue("one", 19-i, backup.Status(i%3))
		}
		r.store.put("other", 50, backup.Failed)
		d := r.deliverer(r.out, 4)
		d.Drain(context.Background())
		want := 0
		for _, id := range r.box.order {
			if row := r.store.get(id); row.Run.Device.ID == "one" {
				if int(row.Run.End.Unix()) != want {
					t.Fatalf("came in the order %v", r.box.order)
				}
				want++
			}
		}
		r.want("", 70)
	})
}

// Connections work side by side.
func TestConnections(t *testing.T) {
	for connections, want := range map[int]time.Duration{1: 16 * time.Second, 4: 4 * time.Second} {
		with(t, func(r *rig) {
			r.store.put("d", 512, backup.Success)
			r.box.time = time.Second
			began := time.Now()
			r.deliverer(r.out, connections).Drain(context.Background())
			if took := time.Since(began); took != want {
				t.Errorf("%d connections took %s, not %s", connections, took, want)
			}
			r.want("d", 512)
		})
	}
}

// What is queued after a look into the outbox is delivered at once where it is
// told, and within 5 s where another process queued it.
func TestWake(t *testing.T) {
	with(t, func(r *rig) {
		stop := r.start()
		time.Sleep(time.Second)
		r.store.put("told", 1, backup.Success)
		r.Wake()
		time.Sleep(time.Millisecond)
		r.want("told", 1)
		r.store.put("untold", 1, backup.Success)
		time.Sleep(5 * time.Second)
		r.want("untold", 1)
		looks, takes := r.out.called("due"), r.out.called("take")
		time.Sleep(time.Hour)
		looks, takes = r.out.called("due")-looks, r.out.called("take")-takes
		if looks > 721 || takes > 0 {
			t.Errorf("an empty outbox was looked into %d times in an hour, and written to %d times", looks, takes)
		}
		stop()
	})
}

// What is queued until done is closed is delivered, then it ends.
func TestDrainUntil(t *testing.T) {
	with(t, func(r *rig) {
		done := make(chan struct{})
		go func() {
			for i := range 5 {
				time.Sleep(time.Minute)
				r.store.queue("d", i, backup.Success)
			}
			close(done)
		}()
		began := time.Now()
		if c := r.DrainUntil(context.Background(), done); c.Sent != 5 {
			t.Errorf("got %+v", c)
		}
		if took := time.Since(began); took != 5*time.Minute {
			t.Errorf("ended after %s", took)
		}
	})
}

// A drain leaves a mailbox alone that is ill, and what waits for its next try.
func TestDrainEndsWhereNothingCanBeDone(t *testing.T) {
	with(t, func(r *rig) {
		r.store.put("d", 465, backup.Failed)
		r.box.reply = always(absent)
		began := time.Now()
		if c := r.Drain(context.Background()); c != (Counts{Retried: 32}) {
			t.Errorf("got %+v", c)
		}
		r.wantStates(0, 465, 0, 0)
		if took := time.Since(began); took > time.Second {
			t.Errorf("took %s", took)
		}
		if !slices.ContainsFunc(r.Findings.Current(), func(f finding.Finding) bool { return f.What == "the mailbox takes no mails" }) {
			t.Errorf("got %+v", r.Findings.Current())
		}
	})
}

// As many go together as is set, and one by one if that is set.
func TestBatchOfOne(t *testing.T) {
	with(t, func(r *rig) {
		r.Deliverer = New(Options{Outbox: r.out, Mailbox: r.box, Log: r.Log, Batch: 1})
		r.store.put("d", 5, backup.Success)
		r.during(time.Second)
		r.want("d", 5)
		if n, _ := r.box.tries(); n != 5 {
			t.Errorf("%d deliveries of 5 mails", n)
		}
		if n := len(r.log.with("msg=delivered")); n != 5 {
			t.Errorf("%d lines on 5 deliveries", n)
		}
	})
}

// What becomes due is sent then, not at the next look; while batches are under
// way nobody asks when that is.
func TestDueInTime(t *testing.T) {
	with(t, func(r *rig) {
		r.store.queue("d", 0, backup.Success).Next = time.Now().Add(time.Second)
		stop := r.start()
		time.Sleep(999 * time.Millisecond)
		r.want("d", 0)
		time.Sleep(2 * time.Millisecond)
		r.want("d", 1)
		r.box.time = 20 * time.Second
		r.store.queue("slow", 0, backup.Success)
		r.Wake()
		time.Sleep(time.Second)
		dues := r.out.called("due")
		time.Sleep(15 * time.Second)
		if n := r.out.called("due") - dues; n > 0 {
			t.Errorf("asked %d times what is due while a batch was under way", n)
		}
		time.Sleep(5 * time.Second)
		stop()
	})
}

// An ill mailbox is asked with a mail that was never refused, if there is one.
func TestChooseOne(t *testing.T) {
	with(t, func(r *rig) {
		r.store.queue("tried", 0, backup.Success).Attempts = 1
		r.store.queue("suspected", 0, backup.Success)
		r.suspects.strike("suspected-0", 0, false)
		r.store.queue("failed", 0, backup.Failed)
		r.store.queue("warning", 0, backup.Warning)
		ctx := context.Background()
		all, err := r.out.Take(ctx, 4)
		if err != nil {
			t.Fatal(err)
		}
		if got := (&run{Deliverer: r.Deliverer, ctx: ctx, hardCtx: ctx}).chooseProbe(all); len(got) != 1 || got[0].Run.ID != "warning-0" {
			t.Errorf("chose %+v", got)
		}
		if n := len(r.store.events); n != 3 {
			t.Errorf("%d were given back, not 3", n)
		}
	})
}

// That nobody can tell what is due is told, and is over when it can be.
func TestLookFails(t *testing.T) {
	with(t, func(r *rig) {
		r.out.setFault(func(_ context.Context, op string) error {
			if op == "due" {
				return errDisk
			}
			return nil
		})
		stop := r.start()
		time.Sleep(time.Second)
		if f := r.Findings.Current(); len(f) != 1 || f[0].Name != "ledger_failing" {
			t.Errorf("got %+v", f)
		}
		r.out.setFault(nil)
		time.Sleep(2 * defaultIdle)
		if f := r.Findings.Current(); len(f) > 0 {
			t.Errorf("got %+v", f)
		}
		stop()
	})
}
