package backup

import "time"

// EntryState tells where an entry of the outbox stands.
type EntryState string

// The states of an entry. EntryQueued and EntrySending are waiting, the others are final.
const (
	EntryQueued   EntryState = "queued"   // to be sent
	EntrySending  EntryState = "sending"  // a delivery has begun; whether it succeeded is not known yet
	EntrySent     EntryState = "sent"     // delivered
	EntryFailed   EntryState = "failed"   // refused for good, or could not be rendered; see Reason
	EntryFiltered EntryState = "filtered" // not sent because of a filter; see Reason
	EntryBaseline EntryState = "baseline" // not sent because it ended before the device's baseline
)

// Entry is a run in the outbox, with its mail and how far it got.
type Entry struct {
	Run       Run
	Account   string     // the configured login that the run came from
	State     EntryState //
	Reason    string     // the filter's rule, the refusal, or the last failure
	MessageID string     // without <>
	Mail      []byte     // the rendered mail; nil: none, or dropped by pruning
	Doubt     bool       // an earlier delivery may have succeeded: ask the mailbox first
	Mark      string     // where in the mailbox to look for it, as it stood before the delivery began
	Receipt   string     // what the mailbox answered to the delivery
	Attempts  int        // failed deliveries so far that count against this mail
	Next      time.Time  // not before then; zero: at once
	Created   time.Time
	Updated   time.Time // when State, Reason, Mark or Receipt changed last
}

// Outcome is what became of one delivery.
type Outcome struct {
	ID     string        // Run.ID of the entry
	State  EntryState    // EntrySent; EntryFailed: final; EntryQueued: to be tried again
	Detail string        // the receipt, or the cause
	After  time.Duration // of EntryQueued: until the next try
	Doubt  bool          // of EntryQueued: the mail may have arrived all the same
	Counts bool          // of EntryQueued: the mail itself was refused, not the mailbox ill
}
