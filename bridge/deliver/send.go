package deliver

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/mailbox"
)

// errLost ends a delivery of which some mails are not ours any more.
var errLost = errors.New("another covebridge has taken over")

// deliveryTimeout is how long the delivery of so many mails may take: more than any
// mailbox needs that gives up on a silent server by itself.
func deliveryTimeout(mails int) time.Duration {
	return time.Minute + time.Duration(mails)*10*time.Second
}

// attempt is one delivery of several mails.
type attempt struct {
	before      healthMark     // of the mailbox before
	entries     []backup.Entry // those that were still ours
	results     []mailbox.Result
	begun       bool  // they were on record as begun before
	beginErr    error // the ledger did not let them begin
	cancelCause error // why it was broken off; nil: it was not
	alone       bool  // its one mail may be what breaks deliveries off
}

// send delivers mails together and tells what became of them. blocked: the
// ledger did not let them begin, and the batch counts as blocked from then on.
func (r *run) send(entries []backup.Entry, alone bool) (outcomes []backup.Outcome, blocked bool) {
	began := time.Now()
	flight := r.inFlight.context()
	a := attempt{before: r.health.mark(), entries: entries, alone: alone}
	for r.transmit(flight, &a) {
	}
	if flight.Err() != nil {
		a.cancelCause = context.Cause(flight)
	}
	switch {
	case len(a.entries) == 0, !a.begun && r.ctx.Err() != nil:
		return nil, a.beginErr != nil // nothing was begun; it goes back with the leases
	case a.beginErr != nil:
		for _, e := range a.entries {
			outcomes = append(outcomes, requeue(e, a.beginErr.Error(), defaultIdle))
		}
		return outcomes, true
	}
	outcomes, taken := r.judge(a)
	if taken > 0 {
		r.Log.Info("delivered", "mails", taken, "of", len(a.entries), "took", time.Since(began).Round(time.Millisecond))
	}
	return outcomes, false
}

// transmit hands the mails to the mailbox. again: some of them are not ours any
// more, and nothing was sent.
func (r *run) transmit(flight context.Context, a *attempt) (again bool) {
	mails := make([]mailbox.Mail, len(a.entries))
	ids := make([]string, len(a.entries))
	for i, e := range a.entries {
		mails[i] = mailbox.Mail{MessageID: e.MessageID, Date: e.Run.End, From: r.From, To: r.To, Bytes: e.Mail}
		ids[i] = e.Run.ID
	}
	ctx, done := context.WithTimeout(flight, deliveryTimeout(len(mails)))
	defer done()
	var lost []string
	a.results = r.Mailbox.Deliver(ctx, mails, func(mark string) error {
		if err := r.ctx.Err(); err != nil {
			return err
		}
		beginning, done := context.WithCancel(ctx)
		defer done()
		defer context.AfterFunc(r.ctx, done)()
		began := time.Now()
		var err error
		if lost, err = r.Outbox.Begin(beginning, ids, mark); err != nil {
			if r.ctx.Err() == nil && ctx.Err() == nil {
				if a.beginErr == nil {
					r.block(1)
				}
				a.beginErr = fmt.Errorf("not begun: %w", err)
				r.ledgerFailed(a.beginErr)
			}
			return err
		}
		if len(lost) > 0 {
			return errLost
		}
		a.begun = true
		r.leases.leased(began)
		r.warnResent(a.entries)
		return nil
	})
	if a.begun || len(lost) == 0 {
		return false
	}
	a.entries = slices.DeleteFunc(slices.Clone(a.entries), func(e backup.Entry) bool { return slices.Contains(lost, e.Run.ID) })
	return len(a.entries) > 0
}

// warnResent says so where mails are sent that may have arrived before.
func (r *run) warnResent(entries []backup.Entry) {
	var again []string
	for _, e := range entries {
		if e.Doubt && wasBegun(e) {
			again = append(again, e.Run.ID)
		}
	}
	if len(again) == 0 {
		return
	}
	r.count(func(c *Counts) { c.Resent += int64(len(again)) })
	r.Log.Warn("sent again: whether it arrived the first time can't be known over plain SMTP; its Message-ID is the same",
		"mails", len(again), "run", again[0])
}
