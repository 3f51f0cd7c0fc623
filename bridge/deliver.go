package bridge

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"covebridge/bridge/ledger"
	"covebridge/bridge/mailbox"
)

const (
	batch    = 8                // mails taken from the ledger at once, for each connection
	landing  = 10 * time.Second // until a mailbox is asked for a mail that may still be on its way into it
	idle     = 5 * time.Second  // between two looks into an empty outbox: others may write to it too
	grace    = 20 * time.Second // that a mail in flight gets to end when the bridge is told to stop
	maxPause = 5 * time.Minute  // between two tries while the mailbox can't be reached
)

// Delivered counts what became of mails.
type Delivered struct {
	Sent    int64 // accepted by the mailbox
	Found   int64 // asked for after doubt, and there already
	Resent  int64 // sent again though nobody could be asked: the reader drops the double by its Message-ID
	Refused int64 // refused for good
	Retried int64 // to be tried again
}

// delivery is one delivering of the outbox.
type delivery struct {
	*Bridge
	done  <-chan struct{} // closed: end once nothing is due
	count Delivered

	taking sync.Mutex
	taken  []ledger.Entry // and not begun yet

	mu       sync.Mutex
	failures int             // in a row, whatever the mail
	until    time.Time       // no mail is taken before
	flight   context.Context // ends when mails in flight have to be broken off
}

// deliver takes mails from the outbox and delivers them, until ctx ends or,
// after done is closed, nothing is left that is due.
func (b *Bridge) deliver(ctx context.Context, done <-chan struct{}) Delivered {
	d := &delivery{Bridge: b, done: done}
	keeping, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	d.keep(keeping)
	var workers sync.WaitGroup
	for range b.Connections {
		workers.Go(func() {
			for {
				e, ok := d.next(ctx)
				if !ok {
					return
				}
				d.send(ctx, e)
			}
		})
	}
	workers.Wait()
	// What was taken and not begun is free for others at once.
	if err := b.Ledger.Release(context.WithoutCancel(ctx)); err != nil {
		b.Log.Warn("leases were not given back; they end by themselves", "err", err)
	}
	return d.count
}

// next waits for a mail that is to be sent now; none comes any more if not ok.
func (d *delivery) next(ctx context.Context) (e ledger.Entry, ok bool) {
	for ctx.Err() == nil {
		finishing := false
		select {
		case <-d.done:
			finishing = true
		default:
		}
		if e, ok := d.pop(ctx); ok {
			return e, true
		}
		if finishing {
			return e, false
		}
		select {
		case <-ctx.Done():
		case <-d.done:
		case <-d.wake:
		case <-time.After(max(d.pause(), min(idle, d.nextDue(ctx)))):
		}
	}
	return e, false
}

// pop takes a mail from those at hand, which it fetches from the ledger in
// batches: never two of one device, so that each device's go one by one.
func (d *delivery) pop(ctx context.Context) (e ledger.Entry, ok bool) {
	d.taking.Lock()
	defer d.taking.Unlock()
	if d.pause() > 0 {
		return e, false
	}
	if len(d.taken) == 0 {
		var err error
		if d.taken, err = d.Ledger.Take(ctx, batch*d.Connections); err != nil && ctx.Err() == nil {
			d.Log.Error("the outbox can't be read", "err", err)
		}
	}
	if len(d.taken) == 0 {
		return e, false
	}
	e, d.taken = d.taken[0], d.taken[1:]
	if len(d.taken) > 0 {
		d.ring() // for the next worker
	}
	return e, true
}

// ring wakes a worker that waits for mails.
func (b *Bridge) ring() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// keep holds on to what is taken from a shared ledger, in the background. When
// that fails, the mails in flight are broken off, and their outcome is asked for.
func (d *delivery) keep(ctx context.Context) {
	flight, stop := context.WithCancelCause(ctx)
	d.mu.Lock()
	d.flight = flight
	d.mu.Unlock()
	go func() {
		defer stop(nil)
		d.renew(flight, stop, d.Ledger.Renew)
		if ctx.Err() == nil {
			d.keep(ctx)
		}
	}()
}

// nextDue is how long it takes until a mail that waits is to be tried again.
func (b *Bridge) nextDue(ctx context.Context) time.Duration {
	wait, any, err := b.Ledger.Due(ctx)
	if err != nil || !any {
		return idle
	}
	return max(wait, 100*time.Millisecond)
}

// send delivers one mail. Once begun, it is finished even if ctx ends, within grace.
func (d *delivery) send(ctx context.Context, e ledger.Entry) {
	d.mu.Lock()
	hard, stop := context.WithCancel(d.flight)
	d.mu.Unlock()
	defer stop()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(grace, stop) })()
	log := d.Log.With("run", e.Run.ID, "job", e.Run.Job, "status", e.Run.Status.String())

	if e.Doubt {
		receipt, found, err := d.Mailbox.Find(hard, e.MessageID, e.Mark, e.Run.End)
		switch {
		case errors.Is(err, mailbox.ErrCannotAsk):
			if e.Attempts > 0 || e.Mark != "" {
				log.Warn("sent again: whether it arrived the first time can't be known over plain SMTP; its Message-ID is the same")
				atomic.AddInt64(&d.count.Resent, 1)
			}
		case err != nil:
			d.failed(hard, e, fmt.Errorf("ask the mailbox for the mail: %w", err), true)
			return
		case found:
			log.Info("in the mailbox already", "receipt", receipt)
			d.store(hard, e, "found in the mailbox: "+receipt)
			atomic.AddInt64(&d.count.Found, 1)
			return
		}
	}
	mail := mailbox.Mail{MessageID: e.MessageID, Date: e.Run.End, From: d.From, To: d.To, Bytes: e.Mail}
	begun := false
	receipt, err := d.Mailbox.Deliver(hard, mail, func(mark string) error {
		if err := ctx.Err(); err != nil {
			return err // told to stop before it was begun
		}
		begun = true
		return d.Ledger.Sending(hard, e.Run.ID, mark)
	})
	var me *mailbox.Error
	switch {
	case err == nil:
		log.Info("delivered", "receipt", receipt)
		d.store(hard, e, receipt)
		atomic.AddInt64(&d.count.Sent, 1)
		d.recovered()
	case isLost(err), !begun && ctx.Err() != nil:
		// Another bridge has it, or it goes back with the leases.
	case errors.As(err, &me) && me.Class == mailbox.Refused:
		log.Error("refused for good; `covebridge resend` tries it again once the cause is gone", "err", err)
		atomic.AddInt64(&d.count.Refused, 1)
		if err := d.Ledger.Refused(hard, e.Run.ID, err.Error()); err != nil && !isLost(err) {
			log.Error("not recorded as refused", "err", err)
		}
		d.recovered()
	default:
		unknown := me == nil || me.Class == mailbox.Unknown
		d.failed(hard, e, err, begun && unknown || !begun && e.Doubt)
	}
}

// store records that a mail is in the mailbox. If that fails, the entry is left
// in doubt, and the mailbox is asked before anything is sent again.
func (d *delivery) store(ctx context.Context, e ledger.Entry, receipt string) {
	if err := d.Ledger.Sent(ctx, e.Run.ID, receipt); err != nil {
		d.Log.Error("delivered, but not recorded; the mailbox will be asked", "run", e.Run.ID, "err", err)
	}
}

// failed puts a mail back, to be tried again after a while. Since it is rather
// the mailbox than the mail that failed, the others wait as well, for less.
func (d *delivery) failed(ctx context.Context, e ledger.Entry, cause error, doubt bool) {
	atomic.AddInt64(&d.count.Retried, 1)
	var me *mailbox.Error
	if errors.As(cause, &me) && me.Settle > 0 {
		d.putBack(ctx, e, cause, me.Settle, true)
		return
	}
	wait := backoff(e.Attempts, 2*time.Second, ledger.MaxBackoff)
	if doubt {
		wait = max(wait, landing)
	}
	if me != nil && me.RetryAfter > 0 {
		wait = me.RetryAfter
	}
	d.mu.Lock()
	d.failures++
	pause := backoff(d.failures-1, time.Second, maxPause)
	if me != nil && me.RetryAfter > 0 {
		pause = me.RetryAfter
	}
	d.until = time.Now().Add(pause)
	level := d.Log.Warn
	if d.failures > 3 { // one failure is no alarm
		level = d.Log.Error
	}
	d.mu.Unlock()
	level("not delivered; it will be tried again", "run", e.Run.ID, "after", wait.Round(time.Second), "doubt", doubt, "err", cause)
	d.putBack(ctx, e, cause, wait, doubt)
}

// putBack leaves a mail to be taken again after a while.
func (d *delivery) putBack(ctx context.Context, e ledger.Entry, cause error, wait time.Duration, doubt bool) {
	if err := d.Ledger.Retry(ctx, e.Run.ID, cause.Error(), wait, doubt); err != nil && !isLost(err) {
		d.Log.Error("not recorded; it will be found at the next start", "run", e.Run.ID, "err", err)
	}
}

func (d *delivery) recovered() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.failures, d.until = 0, time.Time{}
}

// pause is how long no mail is to be taken.
func (d *delivery) pause() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return time.Until(d.until)
}

// backoff doubles from first to most, with some chance in it.
func backoff(attempts int, first, most time.Duration) time.Duration {
	wait := most
	if attempts < 20 {
		wait = min(first<<attempts, most)
	}
	return wait - time.Duration(rand.Int64N(int64(wait)/4+1))
}
