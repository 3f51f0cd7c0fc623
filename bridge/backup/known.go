package backup

import (
	"cmp"
	"slices"
	"time"
)

// Known is a session as the journal remembers it.
type Known struct {
	Session
	Run string `json:"run,omitempty"` // identity of the run that it went out in; empty: still open
	Old bool   `json:"old,omitempty"` // it had ended before the baseline when the device was first seen
	// BegunAt and EndedAt are when it began and ended by our own clock, as near as is
	// known: what the device tells lies between two looks of ours, or its clock is off.
	BegunAt time.Time `json:"begun,omitzero"`
	EndedAt time.Time `json:"done,omitzero"`
	// ToldAt is when statistics first told of its end, by the trusted clock, where they
	// alone did.
	ToldAt time.Time `json:"told_at,omitzero"`
	// Unconfirmed: it ended as statistics alone told, while the history called it running.
	Unconfirmed bool `json:"believed,omitempty"`
	// Estimated: the history lists it, but its times are those that statistics told
	// before that, for it had gone out with them.
	Estimated bool `json:"estimated,omitempty"`
	// Superseded: a newer session of its data source had begun, while it was still
	// listed as running.
	Superseded bool `json:"passed,omitempty"`
}

// listed tells whether the history has it, not statistics alone.
func (k Known) listed() bool { return k.ID != "" }

// isMatched tells whether it has times of both: the history's own, and what statistics told.
func (k Known) isMatched() bool {
	return k.listed() && !k.Told.IsZero() && !k.Estimated && !k.Unconfirmed
}

// listedEnd tells whether the history has it, as one of that source that is over.
func (k Known) listedEnd(source DataSource) bool {
	return k.Source.Key == source.Key && k.listed() && k.State != Running
}

// among tells whether the session is one of those that the history lists.
func (k Known) among(listed []Known) bool {
	return slices.ContainsFunc(listed, func(o Known) bool { return o.sameID(k.Session) })
}

// noResult is what is said of a session that will never tell its result.
const noResult = "no result was told"

// giveUp ends a session that will never tell its result.
func (k *Known) giveUp(end, now time.Time) {
	k.State, k.Status, k.Result, k.End, k.EndedAt = Ended, Warning, noResult, end, now
	if k.End.Before(k.Start) {
		k.End = k.Start
	}
}

// maxDelay is by how much later than it happened something may be told of.
const maxDelay = time.Hour

// ownTime takes a time that a device told for our own clock's, if it lies
// between our last look and this one, as it must; else the device's clock is
// off, or it was told of late, and this look is the careful guess: nothing is
// then taken for over, overdue or silent too early.
func ownTime(told, last, now time.Time) time.Time {
	if told.After(now) || told.Before(last.Add(-maxDelay)) {
		return now
	}
	return told
}

func sortKnown(all []Known) {
	slices.SortStableFunc(all, func(a, b Known) int { return cmp.Or(byStart(a.Session, b.Session), a.Told.Compare(b.Told)) })
}
