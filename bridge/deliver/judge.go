package deliver

import (
	"errors"
	"fmt"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/mailbox"
)

const (
	minRefusalWait = time.Minute // until a mail that was refused is tried again
	maxRefusalWait = time.Hour   // and at last
	// A mail is given up when it has been refused for a day while others passed:
	// after so many refusals, which take a day with these waits, or by the clock
	// where this process has seen a day of them and not too few.
	maxRefusals, minRefusals = 30, 6
)

var errNoResult = errors.New("the mailbox gave no result")

// judge tells what becomes of the mails of an attempt, and what it says about
// the mailbox.
func (r *run) judge(a attempt) (outcomes []backup.Outcome, taken int) {
	errs := make([]error, len(a.entries))
	for i, e := range a.entries {
		if i >= len(a.results) {
			errs[i] = errNoResult
		} else if errs[i] = a.results[i].Err; errs[i] == nil {
			outcomes = append(outcomes, delivered(e, a.results[i].Receipt))
			r.suspects.clear(e.Run.ID)
			r.Log.Debug("delivered", "run", e.Run.ID, "job", e.Run.Job, "status", e.Run.Status.String(), "receipt", a.results[i].Receipt)
			taken++
		}
	}
	total := r.health.addAccepted(a.before, taken)
	r.count(func(c *Counts) { c.Sent += int64(taken) })
	if refused, _ := r.suspects.count(); refused == 0 {
		r.stuckMails.Clear()
	}
	passed := total > a.before.accepted // others did, in this delivery or beside it
	var ill error
	for i, e := range a.entries {
		if errs[i] == nil {
			continue
		}
		var o backup.Outcome
		switch class, _ := classify(errs[i], a.begun); class {
		case mailbox.Final:
			r.health.reachable(a.before)
			o = r.giveUp(e, errs[i].Error())
		case mailbox.Rejected:
			o = r.rejected(a, e, errs[i], total, passed)
		case mailbox.Unknown:
			o = r.unanswered(a, e, errs[i], total)
			ill = worse(ill, errs[i])
		default:
			o = requeue(e, errs[i].Error(), 0)
			ill = worse(ill, errs[i])
		}
		if o.State == backup.EntryQueued {
			r.count(func(c *Counts) { c.Retried++ })
		}
		outcomes = append(outcomes, o)
	}
	if ill != nil && a.cancelCause == nil {
		r.health.failed(a.before, ill)
	}
	return outcomes, taken
}

// rejected is the outcome of a mail that was refused. Where others passed that
// counts against the mail; else it may be the mailbox that is ill.
func (r *run) rejected(a attempt, e backup.Entry, err error, total uint64, passed bool) backup.Outcome {
	s, counts := r.suspects.strike(e.Run.ID, total, passed)
	r.health.addRejected(a.before, e.Run.ID, counts || e.Attempts > 0, err)
	if counts {
		r.stuckMails.Raise(explain(err))
		if exhausted(e.Attempts+1, s) {
			return r.giveUp(e, fmt.Sprintf("refused for a day while others passed: %v", err))
		}
	}
	o := requeue(e, err.Error(), refusalPause(e, s, counts))
	_, asked := classify(err, true)
	o.After = max(o.After, min(asked, maxRefusalWait))
	o.Counts = counts
	return o
}

// exhausted tells whether a mail that was refused so often is to be given up.
func exhausted(times int, s suspect) bool {
	return times >= maxRefusals || times >= minRefusals && !s.first.IsZero() && time.Since(s.first) >= day
}

// refusalPause is how long a refused mail waits. As long as it may be the
// mailbox's fault, it waits no longer than the mailbox is left alone.
func refusalPause(e backup.Entry, s suspect, counts bool) time.Duration {
	if counts || e.Attempts > 0 {
		return backoff(max(e.Attempts, s.strikes-1), minRefusalWait, maxRefusalWait)
	}
	return backoff(s.strikes-1, minRefusalWait, maxPause)
}

// unanswered is the outcome of a mail that may have arrived. Where it was alone,
// for the same had happened to it before, it may be what breaks deliveries off.
func (r *run) unanswered(a attempt, e backup.Entry, err error, total uint64) backup.Outcome {
	e.Doubt = true
	if a.cancelCause != nil {
		return requeue(e, "broken off: "+a.cancelCause.Error(), settleDelay)
	}
	o := requeue(e, err.Error(), settleDelay)
	if !a.alone {
		return o
	}
	s, counts := r.suspects.strike(e.Run.ID, total, false)
	if counts {
		r.stuckMails.Raise(explain(err))
	}
	o.After, o.Counts = refusalPause(e, s, counts), counts
	return o
}

// giveUp is the outcome of a mail that will never be taken.
func (r *run) giveUp(e backup.Entry, why string) backup.Outcome {
	r.suspects.giveUp(e.Run.ID)
	r.givenUpMails.Raise(e.Run.ID+": "+why, "once the cause is gone, `covebridge resend --failed` sends them")
	r.count(func(c *Counts) { c.Failed++ })
	return backup.Outcome{ID: e.Run.ID, State: backup.EntryFailed, Detail: why}
}

// classify tells what an error means for a mail, and how long the server wants
// to be left alone. What nobody knows may mean that the mail arrived, if it was begun.
func classify(err error, begun bool) (mailbox.Class, time.Duration) {
	var e *mailbox.Error
	switch errors.As(err, &e); {
	case e != nil && (e.Class != mailbox.Unknown || begun):
		return e.Class, e.RetryAfter
	case begun:
		return mailbox.Unknown, 0
	default:
		return mailbox.Unavailable, 0
	}
}

// worse gives the error that wants the longer pause, or the first.
func worse(a, b error) error {
	_, pauseA := classify(a, true)
	if _, pauseB := classify(b, true); a == nil || pauseB > pauseA {
		return b
	}
	return a
}
