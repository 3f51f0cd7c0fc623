package deliver

import (
	"context"
	"errors"
	"fmt"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/mailbox"
)

const (
	// settleDelay is how long a mail whose delivery ended without an answer may
	// still be on its way into the mailbox.
	settleDelay = 10 * time.Second
	// findTimeout is how long a mailbox may take over a question.
	findTimeout = 5 * time.Minute
)

// wasBegun tells whether a delivery of the mail has really begun before. Where it
// has not, the mail is in doubt only because it may have gone out before the
// ledger was opened, or restored.
func wasBegun(e backup.Entry) bool {
	return e.Attempts > 0 || e.Mark != "" || e.State == backup.EntrySending
}

// ask asks the mailbox for the mails in doubt. It gives those to be sent: such
// as have never been tried, and such as were, and did not arrive. Those in doubt
// still are what nobody could be asked for. well is false if the mailbox did not
// answer.
func (r *run) ask(entries []backup.Entry) (fresh, missing []backup.Entry, outcomes []backup.Outcome, well bool) {
	var doubtful []backup.Entry
	for _, e := range entries {
		if e.Doubt {
			doubtful = append(doubtful, e)
		} else {
			fresh = append(fresh, e)
		}
	}
	well = true
	if len(doubtful) == 0 {
		return fresh, nil, nil, true
	}
	standing := r.health.mark()
	ctx, done := context.WithTimeout(r.inFlight.context(), findTimeout)
	defer done()
	defer context.AfterFunc(r.ctx, done)()
	for i, answer := range r.find(ctx, doubtful) {
		e := doubtful[i]
		var me *mailbox.Error
		switch errors.As(answer.err, &me); {
		case answer.err == nil && answer.Found.Found:
			r.suspects.clear(e.Run.ID)
			r.count(func(c *Counts) { c.Found++ })
			outcomes = append(outcomes, delivered(e, "found in the mailbox: "+answer.Receipt))
			continue
		case answer.err == nil:
			e.Doubt = false
			if s, _ := r.suspects.get(e.Run.ID); exhausted(e.Attempts, s) {
				outcomes = append(outcomes, r.giveUp(e, "broke its delivery off for a day while others passed: "+e.Reason))
				continue
			}
		case errors.Is(answer.err, mailbox.ErrCannotAsk):
		case r.ctx.Err() != nil:
			continue // the stop broke the question off: it goes back with the leases, in doubt as before
		default:
			if me != nil && me.AskAgainAfter > 0 {
				outcomes = append(outcomes, requeue(e, answer.err.Error(), me.AskAgainAfter))
				continue
			}
			outcomes = append(outcomes, requeue(e, answer.err.Error(), settleDelay))
			r.count(func(c *Counts) { c.Retried++ })
			if well && !aboutOneMail(answer.err) && ctx.Err() != context.Canceled {
				well = false
				r.health.failed(standing, answer.err)
			}
			continue
		}
		if wasBegun(e) {
			missing = append(missing, e)
		} else {
			fresh = append(fresh, e)
		}
	}
	return fresh, missing, outcomes, well
}

// answer is what the mailbox says to the question for one mail.
type answer struct {
	mailbox.Found
	err error
}

// find asks for all mails at once, or for each by itself where one of them may
// be what spoils the question.
func (r *run) find(ctx context.Context, entries []backup.Entry) []answer {
	queries := make([]mailbox.Query, len(entries))
	for i, e := range entries {
		queries[i] = mailbox.Query{MessageID: e.MessageID, Mark: e.Mark, Since: e.Run.End}
	}
	founds, err := r.Mailbox.Find(ctx, queries)
	if err == nil && len(founds) != len(entries) {
		err = fmt.Errorf("the mailbox gave %d answers to %d questions", len(founds), len(entries))
	}
	answers := make([]answer, len(entries))
	for i := range entries {
		switch {
		case err == nil:
			answers[i].Found = founds[i]
		case len(entries) > 1 && aboutOneMail(err) && ctx.Err() == nil:
			answers[i] = r.find(ctx, entries[i:i+1])[0]
		default:
			answers[i].err = err
		}
	}
	return answers
}

// aboutOneMail tells whether a failed question says nothing about the mailbox itself.
func aboutOneMail(err error) bool {
	var e *mailbox.Error
	if !errors.As(err, &e) {
		return !errors.Is(err, mailbox.ErrCannotAsk)
	}
	return e.AskAgainAfter > 0 || e.Class == mailbox.Rejected || e.Class == mailbox.Final
}
