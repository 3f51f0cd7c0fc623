package deliver

import (
	"fmt"
	"time"

	"covebridge/bridge/backup"
)

// batch delivers mails of different devices: it asks for those in doubt, sends,
// and records what became of them.
//
// A mail whose delivery broke off and which did not arrive may be what breaks
// deliveries off: such mails are sent one by one, behind the others.
func (r *run) batch(entries []backup.Entry) {
	together, alone, outcomes, well := r.ask(entries)
	groups := make([][]backup.Entry, 0, 1+len(alone))
	if len(together) > 0 {
		groups = append(groups, together)
	}
	for i := range alone {
		groups = append(groups, alone[i:i+1])
	}
	first := len(groups) - len(alone)
	for i, group := range groups {
		if r.ctx.Err() != nil {
			break // what was not begun goes back with the leases
		}
		if !well {
			for _, e := range group {
				o := requeue(e, "not tried: the mailbox is ill", 0)
				o.Doubt = o.Doubt || i >= first // so that it is sent alone next time too
				outcomes = append(outcomes, o)
			}
			continue
		}
		sent, blocked := r.send(group, i >= first)
		r.record(append(outcomes, sent...), blocked)
		outcomes = nil
		ill, _, _ := r.health.ill()
		well = !ill
	}
	r.record(outcomes, false)
}

// drainRecordLimit is how long a drain that has nothing else left to do tries to record.
const drainRecordLimit = 10 * time.Second

// record writes down what became of mails, and tries until that has worked: what
// was delivered and is not on record would be sent again. A drain ends all the
// same: the ledger has the mails as begun, and the next start asks for them.
// blocked: the batch counts as blocked already.
func (r *run) record(outcomes []backup.Outcome, blocked bool) {
	defer func() {
		if blocked {
			r.block(-1)
		}
	}()
	if len(outcomes) == 0 {
		return
	}
	var finishing time.Time // since when there is nothing else left to do
	for try := 0; ; try++ {
		err := r.Outbox.Record(r.hardCtx, outcomes)
		if err == nil {
			if blocked {
				r.block(-1)
				blocked = false
			}
			r.ledgerWorked()
			return
		}
		if r.hardCtx.Err() != nil {
			return // the ledger has them as begun, and they will be asked for
		}
		if !blocked {
			r.block(1)
			blocked = true
		}
		r.ledgerFailed(fmt.Errorf("record what became of %d mails: %w", len(outcomes), err))
		wait, finish := backoff(try, minLedgerRetry, maxLedgerRetry), r.drain
		if !finishing.IsZero() {
			if time.Since(finishing) >= drainRecordLimit {
				return
			}
			wait, finish = min(wait, time.Second), nil
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-finish:
			finishing = time.Now()
		case <-r.hardCtx.Done():
		}
		timer.Stop()
	}
}

// delivered is the outcome of a mail that is in the mailbox.
func delivered(e backup.Entry, receipt string) backup.Outcome {
	return backup.Outcome{ID: e.Run.ID, State: backup.EntrySent, Detail: receipt}
}

// requeue is the outcome of a mail to be tried again, which counts not against it.
func requeue(e backup.Entry, why string, after time.Duration) backup.Outcome {
	return backup.Outcome{ID: e.Run.ID, State: backup.EntryQueued, Detail: why, After: after, Doubt: e.Doubt}
}
