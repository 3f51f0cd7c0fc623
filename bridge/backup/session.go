package backup

import (
	"cmp"
	"slices"
	"time"
)

// State tells whether a session is over.
type State string

const (
	// Ended: it is over, and its Status stands.
	Ended State = "ended"
	// Running: it has not ended yet. End is zero.
	Running State = "running"
	// Restarted: it was given up and begun anew; the next session of its data
	// source takes its place.
	Restarted State = "restarted"
)

// Session is one backup of one data source of a device.
type Session struct {
	ID string `json:"id,omitempty"` // the history's own; empty where only statistics told of it
	// Seq is the ID as a number where the product's numbers count up with each
	// new session of the device; 0: they don't, or it is not known.
	Seq int64 `json:"seq,omitempty"`
	// Told is the end as statistics tell it, which can differ from the
	// history's by minutes; zero where no statistics told of the end.
	Told   time.Time  `json:"told,omitzero"`
	Source DataSource `json:"source"`
	State  State      `json:"state"`
	Status Status     `json:"status"` // means nothing before it ended
	Result string     `json:"result"` // the product's words, number included: "CompletedWithErrors (8)"
	Start  time.Time  `json:"start"`
	// Approx: the product does not tell the start. Start is then the earliest
	// moment a running session can have begun, or a guess for one that ended.
	Approx bool      `json:"approx,omitempty"`
	End    time.Time `json:"end,omitzero"` // zero while it runs

	SelectedCount  int64 `json:"selected_count"` // objects; these five are Unknown where the product does not tell
	SelectedBytes  int64 `json:"selected_bytes"`
	ProcessedCount int64 `json:"processed_count"`
	ProcessedBytes int64 `json:"processed_bytes"`
	SentBytes      int64 `json:"sent_bytes"`
	ErrorCount     int64 `json:"error_count"` // unreliable: can be 0 where there are errors

	// Before is what the data source's session before this one came to; nil where
	// that is not known.
	Before *Amounts `json:"before,omitempty"`

	Errors []Error `json:"errors,omitempty"`
	// ErrorsMissing says why the error texts could not be read; empty: they
	// were, or there was nothing to read.
	ErrorsMissing string `json:"errors_missing,omitempty"`
}

// Amounts are those of a session that another is compared with; Unknown where
// the product does not tell.
type Amounts struct {
	SelectedCount int64 `json:"selected_count"`
	SelectedBytes int64 `json:"selected_bytes"`
	SentBytes     int64 `json:"sent_bytes"`
}

// Error is one error of a session, or several equal ones.
type Error struct {
	Time  time.Time `json:"time,omitzero"`
	File  string    `json:"file,omitempty"` // file, path, mailbox or user it concerns
	Text  string    `json:"text"`
	Code  string    `json:"code,omitempty"`
	Count int64     `json:"count"` // how many times it happened; at least 1
}

// vague tells whether it runs since nobody knows when.
func (s Session) vague() bool { return s.Approx && s.State == Running }

// sameID tells whether both are the session with this id of one data source.
func (s Session) sameID(o Session) bool { return s.ID == o.ID && s.Source.Key == o.Source.Key }

// sameEnd tells whether statistics told of both by the same end, if they did.
func (s Session) sameEnd(o Session) bool {
	return s.Source.Key == o.Source.Key && !s.Told.IsZero() && s.Told.Equal(o.Told)
}

// Finished tells whether nothing more is to come of the session.
func (s Session) Finished() bool { return s.State == Ended }

// Clean tells whether the session ended well and claims no errors.
func (s Session) Clean() bool {
	return s.State == Ended && s.Status == Success && s.ErrorCount <= 0
}

// byStart orders sessions by start; ties by data source and id, so that the
// order never depends on the order in which they were read.
func byStart(a, b Session) int {
	return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.Source.Key, b.Source.Key), cmp.Compare(a.ID, b.ID))
}

// SortSessions sorts by start.
func SortSessions(sessions []Session) { slices.SortStableFunc(sessions, byStart) }
