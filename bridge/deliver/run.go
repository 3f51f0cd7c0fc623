package deliver

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"covebridge/bridge/backup"
)

const (
	grace       = 3 * time.Second        // that mails in flight get to end when told to stop
	moment      = 500 * time.Millisecond // beyond it, to record what became of them and give back the leases
	idle        = 5 * time.Second        // Options.Idle, where it is not set
	soon        = 100 * time.Millisecond // between two looks at least
	firstLedger = time.Second            // until a ledger that failed is tried again
	maxLedger   = time.Minute            // and at last
)

// run is one Run or Drain.
type run struct {
	*Deliverer
	stop   context.Context // ends: nothing new is begun
	hard   context.Context // ends a while later: nothing is waited for any more
	flight *flight
	guard  *guard

	// Of the loop alone.
	busy    int       // batches under way
	probing bool      // one of them asks a mailbox that is ill
	tries   int       // times in a row that nothing could be taken
	after   time.Time // nothing is taken before
	ended   chan bool // a batch is; true: it was probing

	finish chan struct{} // closed: nothing is queued any more

	ledgerTurn sync.Mutex // that the ledger works is not said beside a batch that fails on it
	blocked    int        // batches that wait for the ledger to be written
}

// DrainUntil is Run until done is closed, and Drain from then on: what was
// queued before done was closed is delivered.
func (d *Deliverer) DrainUntil(ctx context.Context, done <-chan struct{}) Counts {
	d.mu.Lock()
	d.counts = Counts{}
	d.mu.Unlock()
	hard, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	r := &run{Deliverer: d, stop: ctx, hard: hard, flight: newFlight(hard), ended: make(chan bool, d.Connections), finish: make(chan struct{})}
	r.guard = newGuard(d.Outbox.LeaseTime(), r.unleased)
	stopped := context.AfterFunc(ctx, func() {
		time.AfterFunc(grace, func() { r.flight.breakOff(errStopped) })
		time.AfterFunc(grace+moment, end)
	})
	defer stopped()

	keeping, let := context.WithCancel(hard)
	defer let()
	var renewing, working sync.WaitGroup
	renewing.Go(func() { r.renew(keeping) })
	working.Go(func() { r.loop(done, &working) })
	// Neither is waited for without end: a call may hang whatever its context says.
	reached(hard, working.Wait)
	let()
	short, cut := context.WithTimeout(context.WithoutCancel(ctx), moment)
	defer cut()
	reached(short, func() {
		renewing.Wait()
		// What can't be given back ends by itself, at the end of its lease.
		_ = d.Outbox.Release(short)
	})
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.counts
}

// reached waits for f to end, or for ctx.
func reached(ctx context.Context, f func()) {
	end := make(chan struct{})
	go func() {
		defer close(end)
		f()
	}()
	select {
	case <-end:
	case <-ctx.Done():
	}
}

// loop starts batches until there is no more to do.
func (r *run) loop(done <-chan struct{}, working *sync.WaitGroup) {
	finishing := false
	for {
		r.Turn()
		wait := r.dispatch(working)
		if r.stop.Err() != nil || finishing && r.busy == 0 {
			return
		}
		timer := time.NewTimer(wait)
		select {
		case <-r.stop.Done():
		case <-done:
			finishing, done = true, nil
			close(r.finish)
		case probe := <-r.ended:
			r.busy--
			r.probing = r.probing && !probe
		case <-r.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// dispatch starts a batch on each free connection while there are mails that are
// due, and tells how long to wait if nothing happens before.
func (r *run) dispatch(working *sync.WaitGroup) (wait time.Duration) {
	for r.busy < r.Connections && r.stop.Err() == nil {
		if wait := time.Until(r.after); wait > 0 {
			return wait
		}
		n := r.Batch
		ill, wait, blamed := r.health.ill()
		switch {
		case !ill:
		case r.probing:
			return r.Idle
		case wait > 0:
			return wait
		case !blamed:
			n = 1 // one is as good as another
		}
		if wait := r.untilDue(); wait > 0 {
			return wait
		}
		entries, err := r.Outbox.Take(r.stop, n)
		if err != nil {
			return r.later(fmt.Errorf("take mails: %w", err))
		}
		r.tries = 0
		r.ledgerPassed()
		if len(entries) == 0 {
			return soon
		}
		r.busy++
		r.probing = r.probing || ill
		working.Go(func() {
			if ill {
				entries = r.chooseOne(entries)
			}
			r.batch(entries)
			r.ended <- ill
		})
	}
	return r.Idle
}

// untilDue is how long it takes until there is something to take. It only reads:
// an outbox in which nothing is due costs no transaction that writes.
func (r *run) untilDue() time.Duration {
	wait, some, err := r.Outbox.NextDue(r.stop)
	switch {
	case err != nil:
		return r.later(fmt.Errorf("look what is due: %w", err))
	case some && wait <= 0:
		return 0
	}
	r.tries = 0
	r.ledgerPassed()
	if !some {
		return r.Idle
	}
	return min(max(wait, soon), r.Idle)
}

// later says that the ledger fails, and tells how long it is left alone.
func (r *run) later(err error) time.Duration {
	if r.stop.Err() == nil {
		r.ledgerFailed(err)
		r.after = time.Now().Add(backoff(r.tries, firstLedger, maxLedger))
		r.tries++
	}
	return time.Until(r.after)
}

// chooseOne keeps the mail that can best tell whether a mailbox is well again,
// and gives the others back: one that was never refused, of a kind that is
// seldom so.
func (r *run) chooseOne(entries []backup.Entry) []backup.Entry {
	best, least := 0, math.MaxInt
	for i, e := range entries {
		doubts := int(e.Run.Status)
		if _, suspected := r.suspects.get(e.Run.ID); suspected || e.Attempts > 0 {
			doubts += 10
		}
		if doubts < least {
			best, least = i, doubts
		}
	}
	var back []backup.Outcome
	for i, e := range entries {
		if i != best {
			back = append(back, putBack(e, "the mailbox is asked with another mail whether it is well again", 0))
		}
	}
	r.record(back, false)
	return entries[best : best+1]
}

func (r *run) ledgerFailed(err error) {
	why, remedy := backup.Explain(err)
	r.ledger.Raise(why, cmp.Or(remedy, "`covebridge check` tries the ledger"))
}

// ledgerPassed says that the ledger works, unless a batch still waits for it: a
// full disk can be read from.
func (r *run) ledgerPassed() {
	r.ledgerTurn.Lock()
	defer r.ledgerTurn.Unlock()
	if r.blocked == 0 {
		r.ledger.Clear()
	}
}

// block counts batches that wait for the ledger, before it is told that it fails.
func (r *run) block(batches int) {
	r.ledgerTurn.Lock()
	defer r.ledgerTurn.Unlock()
	r.blocked += batches
}
