package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"covebridge/bridge/backup"
)

// State tells where an entry of the outbox stands.
type State string

// The states of an entry. Queued and Sending ones are waiting, the others are settled.
const (
	Queued   State = "queued"   // to be sent
	Sending  State = "sending"  // a delivery has begun; whether it succeeded is not known yet
	Sent     State = "sent"     // delivered
	Failed   State = "failed"   // refused for good, or could not be rendered; see Reason
	Filtered State = "filtered" // not sent because of a filter; see Reason
	Baseline State = "baseline" // not sent because it ended before the device's baseline
)

// Entry is a run in the outbox, with its mail and how far it got.
type Entry struct {
	Run       backup.Run
	Account   string    // the configured login that the run came from
	State     State     //
	Reason    string    // the filter's rule, the refusal, or the last failure
	MessageID string    // without <>
	Mail      []byte    // the rendered mail; nil: none, or dropped by Prune
	Doubt     bool      // an earlier delivery may have succeeded: ask the mailbox first
	Mark      string    // where in the mailbox to look for it, as Sending was told
	Receipt   string    // what the mailbox answered to the delivery
	Attempts  int       // failed deliveries so far
	Next      time.Time // not before then; zero: at once
	Created   time.Time
	Updated   time.Time // when State, Reason, Mark or Receipt changed last
}

const entryColumns = "e.account, e.state, e.reason, e.message_id, e.doubt, e.mark, e.receipt, e.attempts, e.next, e.created, e.updated, e.run"

func scanEntry(r row, more ...any) (e Entry, err error) {
	var run string
	var next, created, updated int64
	err = r.Scan(append([]any{&e.Account, &e.State, &e.Reason, &e.MessageID, &e.Doubt, &e.Mark, &e.Receipt, &e.Attempts,
		&next, &created, &updated, &run}, more...)...)
	if err != nil {
		return e, err
	}
	if err := json.Unmarshal([]byte(run), &e.Run); err != nil {
		return e, fmt.Errorf("run of %s: %w", e.MessageID, err)
	}
	e.Next, e.Created, e.Updated = moment(next), moment(created), moment(updated)
	return e, nil
}

// Commit puts runs into the outbox and ties their sessions to them (Sessions
// and Replaced, by Row; only runs of kind backup.Whole have sessions of their
// own), all or nothing. An entry that is there already is left as it is, but
// for the sessions. It returns how many were new. ErrConflict: a session is in
// another run.
//
// Doubt says that another ledger may have sent it already. State is Queued (with Mail), Filtered, Baseline or Failed (with Reason).
func (l *Ledger) Commit(ctx context.Context, entries ...Entry) (added int, err error) {
	what := fmt.Sprintf("commit %d runs", len(entries))
	if len(entries) == 1 {
		what = "commit run " + entries[0].Run.ID
	}
	err = l.write(ctx, what, func(t transaction) error {
		added = 0
		now, err := t.clock()
		if err != nil {
			return err
		}
		for _, e := range entries {
			isNew, err := t.commit(e, now)
			if err != nil {
				return fmt.Errorf("%s: %w", e.Run.ID, err)
			}
			if isNew {
				added++
			}
		}
		return nil
	})
	return added, err
}

func (t transaction) commit(e Entry, now int64) (bool, error) {
	switch {
	case e.State == Queued && e.Mail == nil:
		return false, ErrNoMail
	case e.State != Queued && e.State != Filtered && e.State != Baseline && e.State != Failed:
		return false, fmt.Errorf("a run can't begin in state %q", e.State)
	}
	device := e.Run.Device.Key()
	if e.Run.Kind == backup.Whole {
		for _, s := range append(e.Run.Sessions[:len(e.Run.Sessions):len(e.Run.Sessions)], e.Run.Replaced...) {
			if err := t.tie(device, s, e.Run.ID); err != nil {
				return false, err
			}
		}
	}
	run, err := json.Marshal(e.Run)
	if err != nil {
		return false, err
	}
	n, err := t.exec(`INSERT INTO entries (id, device, account, kind, status, ended, state, reason, message_id,
			doubt, mark, receipt, attempts, next, owner, lease_until, created, updated, words, run, mail)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, '', '', 0, 0, '', 0, $11, $11, $12, $13, $14)
		ON CONFLICT (id) DO NOTHING`,
		e.Run.ID, device, e.Account, string(e.Run.Kind), int64(e.Run.Status), e.Run.End, e.State, e.Reason, e.MessageID,
		e.Doubt, now, words(e), string(run), e.Mail)
	if err != nil || n == 0 {
		return false, err
	}
	return true, t.event(e.Run.ID, now, string(e.State), e.Reason)
}

// tie puts a session into a run. The condition decides between two bridges
// that grouped the same sessions at the same moment.
func (t transaction) tie(device string, s backup.Session, run string) error {
	n, err := t.exec("UPDATE sessions SET run = $1 WHERE device = $2 AND number = $3 AND (run IS NULL OR run = $1)", run, device, s.Row)
	if err == nil && n == 0 {
		err = fmt.Errorf("session of %s at %s: %w", s.Source.Name, s.Start.UTC().Format(time.RFC3339), ErrConflict)
	}
	return err
}

// words is what Query.Text is searched in.
func words(e Entry) string {
	d := e.Run.Device
	return strings.ToLower(strings.Join([]string{e.Run.ID, e.Run.Job, d.Name, d.Alias, d.Computer, d.Customer, strings.Join(d.CustomerPath, "\n")}, "\n"))
}
