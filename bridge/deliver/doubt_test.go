package deliver

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/mailbox"
)

// What went out before the ledger was restored from a copy is asked for, all of
// a batch at once, and doubles nothing.
func TestRestoredLedger(t *testing.T) {
	with(t, func(r *rig) {
		for i := range 30 {
			r.store.queue(fmt.Sprint("d", i), 0, backup.Success).Doubt = true
			if i < 20 {
				r.box.arrive(fmt.Sprintf("d%d-0", i))
			}
		}
		if c := r.Drain(context.Background()); c != (Counts{Sent: 10, Found: 20}) {
			t.Errorf("got %+v", c)
		}
		r.want("d", 30)
		if e := r.store.get("d3-0"); e.Receipt != "found in the mailbox: uid" {
			t.Errorf("got %q", e.Receipt)
		}
		if deliveries, _ := r.box.tries(); r.box.finds() != 1 || deliveries != 1 {
			t.Errorf("asked %d times, sent %d times", r.box.finds(), deliveries)
		}
	})
}

// A mailbox that can't be asked gets those again that were really begun, which
// is told; what is in doubt only because the ledger was opened anew goes out.
func TestCannotAsk(t *testing.T) {
	with(t, func(r *rig) {
		r.box.deaf = true
		r.store.queue("old", 0, backup.Success).Doubt = true
		for i := range 3 {
			e := r.store.queue(fmt.Sprint("begun", i), 0, backup.Success)
			e.State, e.Mark = backup.EntrySending, "mark"
		}
		if c := r.Drain(context.Background()); c != (Counts{Sent: 4, Resent: 3}) {
			t.Errorf("got %+v", c)
		}
		if lines := r.log.with("sent again: whether it arrived the first time"); len(lines) != 3 || !strings.Contains(lines[0], "run=begun") {
			t.Errorf("got %q", lines)
		}
	})
}

// A mail that may have arrived is asked for when it has had 10 s to land.
func TestUnanswered(t *testing.T) {
	for _, arrived := range []bool{true, false} {
		with(t, func(r *rig) {
			r.store.queue("d", 0, backup.Success)
			r.box.reply = always(cuts)
			if arrived {
				r.box.reply = always(mute)
			}
			stop := r.start()
			time.Sleep(time.Second)
			r.wantStates(0, 1, 0, 0)
			if e := r.store.get("d-0"); !e.Doubt || e.Mark != "mark" || e.Attempts != 0 {
				t.Errorf("got %+v", e)
			}
			r.box.set(func(b *box) { b.reply = nil })
			time.Sleep(8 * time.Second)
			if n := r.box.finds(); n > 0 {
				t.Errorf("asked %d times within 9 s", n)
			}
			time.Sleep(7 * time.Second)
			r.want("d", 1)
			r.wantStates(1, 0, 0, 0)
			if r.box.finds() != 1 {
				t.Errorf("asked %d times", r.box.finds())
			}
			stop()
		})
	}
}

// A mailbox that can't tell yet is asked again when it can.
func TestSettle(t *testing.T) {
	with(t, func(r *rig) {
		e := r.store.queue("d", 0, backup.Success)
		e.State, e.Mark = backup.EntrySending, "mark"
		r.store.put("other", 3, backup.Success)
		r.box.find = func(context.Context, []mailbox.Query) error {
			return &mailbox.Error{Op: "find", AskAgainAfter: 40 * time.Second, Text: "it may be in the queue"}
		}
		stop := r.start()
		time.Sleep(time.Second)
		r.want("other", 3)
		r.box.set(func(b *box) { b.find = nil; b.arrive("d-0") })
		time.Sleep(35 * time.Second)
		r.wantStates(3, 1, 0, 0)
		time.Sleep(10 * time.Second)
		r.wantStates(4, 0, 0, 0)
		r.want("d", 1)
		if n := r.store.counted(); n > 0 {
			t.Errorf("%d were counted", n)
		}
		stop()
	})
}

// A mailbox that breaks off when it is asked is ill. Nothing is sent that was
// not asked for, and the others go on as soon as one of them passes.
func TestAskingFails(t *testing.T) {
	with(t, func(r *rig) {
		for i := range 10 {
			e := r.store.queue(fmt.Sprint("doubt", i), 0, backup.Failed)
			e.State, e.Mark = backup.EntrySending, "mark"
		}
		r.store.put("other", 100, backup.Success)
		r.box.find = func(context.Context, []mailbox.Query) error {
			return &mailbox.Error{Op: "select", Class: mailbox.Unavailable, Text: "connection reset"}
		}
		stop := r.start()
		time.Sleep(5 * time.Minute)
		r.want("other", 100)
		r.want("doubt", 0)
		if f := r.Findings.Current(); len(f) != 1 || f[0].Name != "mailbox_ill" {
			t.Errorf("got %+v", f)
		}
		if n := r.Total().Retried; n < 10 {
			t.Errorf("%d were tried in vain", n)
		}
		r.box.set(func(b *box) { b.find = nil })
		time.Sleep(maxPause + settleDelay)
		r.want("doubt", 10)
		stop()
	})
}

// Answers that are no answers are not taken for any.
func TestMailboxLies(t *testing.T) {
	with(t, func(r *rig) {
		e := r.store.queue("doubt", 0, backup.Success)
		e.State, e.Mark = backup.EntrySending, "mark"
		r.store.put("d", 3, backup.Success)
		lie := true
		d := New(Options{Outbox: r.out, Log: r.Log, Mailbox: liar{r.box, &lie}})
		d.Drain(context.Background())
		r.wantStates(0, 4, 0, 0)
		if e := r.store.get("d0-0"); !e.Doubt || e.Reason == "" {
			t.Errorf("got %+v", e)
		}
		lie = false
		time.Sleep(time.Minute)
		d.Drain(context.Background())
		r.want("", 4)
		r.wantStates(4, 0, 0, 0)
	})
}

// liar gives no results and no answers, and errors of no kind.
type liar struct {
	*box
	lie *bool
}

func (l liar) Deliver(ctx context.Context, mails []mailbox.Mail, begin func(string) error) []mailbox.Result {
	if !*l.lie {
		return l.box.Deliver(ctx, mails, begin)
	}
	_ = begin("mark")
	return []mailbox.Result{{Err: errors.New("what?")}}
}

func (l liar) Find(ctx context.Context, queries []mailbox.Query) ([]mailbox.Found, error) {
	if !*l.lie {
		return l.box.Find(ctx, queries)
	}
	return nil, nil
}

// A mail that did not arrive when its delivery broke off is sent alone: also
// after the mailbox was ill when its turn came.
func TestAloneNextTime(t *testing.T) {
	with(t, func(r *rig) {
		e := r.store.queue("broke", 0, backup.Success)
		e.State, e.Mark = backup.EntrySending, "mark"
		r.store.put("other", 3, backup.Failed) // these go first
		r.box.reply = always(absent)
		r.box.retry = 10 * time.Second
		stop := r.start()
		time.Sleep(time.Second)
		r.store.mu.Lock()
		if e.State != backup.EntryQueued || !e.Doubt {
			t.Errorf("got %+v", e)
		}
		r.store.mu.Unlock()
		r.box.set(func(b *box) { b.reply = nil })
		time.Sleep(time.Minute)
		r.want("", 4)
		r.box.set(func(b *box) {
			if !slices.Equal(b.sizes, []int{3, 1, 2, 1}) {
				t.Errorf("sent with others: %v", b.sizes)
			}
		})
		stop()
	})
}
