package deliver

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/finding"
)

const (
	stopGrace      = 3 * time.Second        // that mails in flight get to end when told to stop
	recordGrace    = 500 * time.Millisecond // beyond it, to record what became of them and give back the leases
	defaultIdle    = 5 * time.Second        // Options.Idle, where it is not set
	minWait        = 100 * time.Millisecond // between two looks at least
	minLedgerRetry = time.Second            // until a ledger that failed is tried again
	maxLedgerRetry = time.Minute            // and at last
)

// run is one Run or Drain.
type run struct {
	*Deliverer
	ctx      context.Context // ends: nothing new is begun
	hardCtx  context.Context // ends a while later: nothing is waited for any more
	inFlight *inFlight
	leases   *leaseGuard

	// Of the loop alone.
	batches        int       // batches under way
	probing        bool      // one of them asks a mailbox that is ill
	ledgerFailures int       // times in a row that nothing could be taken
	notBefore      time.Time // nothing is taken before
	batchDone      chan bool // a batch is; true: it was probing

	drain chan struct{} // closed: nothing is queued any more

	ledgerMu       sync.Mutex // that the ledger works is not said beside a batch that fails on it
	blockedBatches int        // batches that wait for the ledger to be written
}

// DrainUntil is Run until done is closed, and Drain from then on: what was
// queued before done was closed is delivered.
func (d *Deliverer) DrainUntil(ctx context.Context, done <-chan struct{}) Counts {
	d.mu.Lock()
	d.counts = Counts{}
	d.mu.Unlock()
	hard, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	r := &run{Deliverer: d, ctx: ctx, hardCtx: hard, inFlight: newInFlight(hard), batchDone: make(chan bool, d.Connections), drain: make(chan struct{})}
	r.leases = newLeaseGuard(d.Outbox.LeaseTime(), r.leasesExpired)
	stopped := context.AfterFunc(ctx, func() {
		time.AfterFunc(stopGrace, func() { r.inFlight.cancelAll(errStopped) })
		time.AfterFunc(stopGrace+recordGrace, end)
	})
	defer stopped()

	keeping, let := context.WithCancel(hard)
	defer let()
	var renewing, working sync.WaitGroup
	renewing.Go(func() { r.renew(keeping) })
	working.Go(func() { r.loop(done, &working) })
	// Neither is waited for without end: a call may hang whatever its context says.
	waitFor(hard, working.Wait)
	let()
	short, cut := context.WithTimeout(context.WithoutCancel(ctx), recordGrace)
	defer cut()
	waitFor(short, func() {
		renewing.Wait()
		// What can't be given back ends by itself, at the end of its lease.
		_ = d.Outbox.Release(short)
	})
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.counts
}

// waitFor waits for f to end, or for ctx.
func waitFor(ctx context.Context, f func()) {
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
		r.OnLoop()
		wait := r.dispatch(working)
		if r.ctx.Err() != nil || finishing && r.batches == 0 {
			return
		}
		timer := time.NewTimer(wait)
		select {
		case <-r.ctx.Done():
		case <-done:
			finishing, done = true, nil
			close(r.drain)
		case probe := <-r.batchDone:
			r.batches--
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
	for r.batches < r.Connections && r.ctx.Err() == nil {
		if wait := time.Until(r.notBefore); wait > 0 {
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
		entries, err := r.Outbox.Take(r.ctx, n)
		if err != nil {
			return r.later(fmt.Errorf("take mails: %w", err))
		}
		r.ledgerFailures = 0
		r.ledgerWorked()
		if len(entries) == 0 {
			return minWait
		}
		r.batches++
		r.probing = r.probing || ill
		working.Go(func() {
			if ill {
				entries = r.chooseProbe(entries)
			}
			r.batch(entries)
			r.batchDone <- ill
		})
	}
	return r.Idle
}

// untilDue is how long it takes until there is something to take. It only reads:
// an outbox in which nothing is due costs no transaction that writes.
func (r *run) untilDue() time.Duration {
	wait, some, err := r.Outbox.NextDue(r.ctx)
	switch {
	case err != nil:
		return r.later(fmt.Errorf("look what is due: %w", err))
	case some && wait <= 0:
		return 0
	}
	r.ledgerFailures = 0
	r.ledgerWorked()
	if !some {
		return r.Idle
	}
	return min(max(wait, minWait), r.Idle)
}

// later says that the ledger fails, and tells how long it is left alone.
func (r *run) later(err error) time.Duration {
	if r.ctx.Err() == nil {
		r.ledgerFailed(err)
		r.notBefore = time.Now().Add(backoff(r.ledgerFailures, minLedgerRetry, maxLedgerRetry))
		r.ledgerFailures++
	}
	return time.Until(r.notBefore)
}

// chooseProbe keeps the mail that can best tell whether a mailbox is well again,
// and gives the others back: one that was never refused, of a kind that is
// seldom so.
func (r *run) chooseProbe(entries []backup.Entry) []backup.Entry {
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
			back = append(back, requeue(e, "the mailbox is asked with another mail whether it is well again", 0))
		}
	}
	r.record(back, false)
	return entries[best : best+1]
}

func (r *run) ledgerFailed(err error) {
	why, remedy := backup.Explain(err)
	r.ledger.Raise(why, cmp.Or(remedy, finding.CheckLedger))
}

// ledgerWorked says that the ledger works, unless a batch still waits for it: a
// full disk can be read from.
func (r *run) ledgerWorked() {
	r.ledgerMu.Lock()
	defer r.ledgerMu.Unlock()
	if r.blockedBatches == 0 {
		r.ledger.Clear()
	}
}

// block counts batches that wait for the ledger, before it is told that it fails.
func (r *run) block(batches int) {
	r.ledgerMu.Lock()
	defer r.ledgerMu.Unlock()
	r.blockedBatches += batches
}
