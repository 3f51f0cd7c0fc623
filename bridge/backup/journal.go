package backup

import "time"

// Journal is all that is known of one device, as far as it is still needed to
// decide about its runs.
type Journal struct {
	Device Device `json:"device"` // as last told; Name is empty until it is known
	// First is when the device was looked at for the first time: a run that
	// began before may have been mailed before this ledger was made.
	First     time.Time `json:"first,omitzero"`
	NoHistory string    `json:"no_history,omitempty"` // why its session history can't be read; empty: it can
}

// NewJournal makes the journal of a device of the ledger's first edition. runs
// are the identities of the runs that the sessions went out in, by index; empty: still open.
func NewJournal(d Device, first time.Time, noHistory string, sessions []Session, runs []string) Journal {
	return Journal{Device: d, First: first, NoHistory: noHistory}
}
