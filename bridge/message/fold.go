package message

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"covebridge/bridge/backup"
)

// MaxErrors is how many different errors one mail shows, all data sources
// together.
const MaxErrors = 50

// Fold puts equal errors (same text, code and file) into one, with their
// number and the time of the first, and orders them, the most telling first:
//
//  1. those that name a cause, before those that only say that the work
//     stopped ("Operation Aborted"), which is what a cause leads to;
//  2. those whose text few others share, before the text that every second
//     file has: one "Insufficient disk space" tells more than a thousand times
//     "Access denied";
//  3. those that happened more often; then the earlier; then by text and file,
//     so that the order is always the same.
func Fold(errors []backup.Error) []backup.Error {
	type key struct{ text, code, file string }
	at := map[key]int{}
	sharing := map[string]int{}
	var folded []backup.Error
	for _, e := range errors {
		e.Count = max(e.Count, 1)
		k := key{e.Text, e.Code, e.File}
		i, ok := at[k]
		if !ok {
			at[k] = len(folded)
			folded = append(folded, e)
			sharing[e.Text]++
			continue
		}
		f := &folded[i]
		if f.Count += e.Count; f.Count < 0 {
			f.Count = 1<<63 - 1
		}
		if !e.Time.IsZero() && (f.Time.IsZero() || e.Time.Before(f.Time)) {
			f.Time = e.Time
		}
	}
	slices.SortStableFunc(folded, func(a, b backup.Error) int {
		return cmp.Or(
			cmp.Compare(vagueness(a), vagueness(b)),
			cmp.Compare(sharing[a.Text], sharing[b.Text]),
			cmp.Compare(b.Count, a.Count),
			a.Time.Compare(b.Time),
			cmp.Compare(a.Text, b.Text),
			cmp.Compare(a.File, b.File),
			cmp.Compare(a.Code, b.Code),
		)
	})
	return folded
}

// consequences are whole texts that say no more than that the work stopped.
var consequences = []string{
	"", "aborted", "operation aborted", "operation cancelled", "operation canceled", "the operation was aborted",
	"the operation was canceled", "cancelled", "canceled", "interrupted", "restarted", "failed", "error", "unknown error",
}

// vagueness is 1 for an error that names no cause, else 0.
func vagueness(e backup.Error) int {
	text := strings.ToLower(strings.Trim(e.Text, " .!:"))
	if slices.Contains(consequences, text) {
		return 1
	}
	return 0
}

// divideEvenly divides what may be shown between those that want to, evenly, and what
// one does not need goes to the others.
func divideEvenly(wants []int, total int) []int {
	got := make([]int, len(wants))
	for given := true; given && total > 0; {
		given = false
		for i, w := range wants {
			if got[i] < w && total > 0 {
				got[i]++
				total--
				given = true
			}
		}
	}
	return got
}

// Error is one error, or several equal ones, for the reader.
type Error struct {
	Text  string
	File  string
	Times string // "1,234"; empty: once
	When  string // "02:11:05"
}

// problem makes an error fit for the reader. A number that the product gives
// it is called by its name, and left out where the text has it already.
func (c clock) problem(e backup.Error, start time.Time) Error {
	p := Error{Text: cmp.Or(e.Text, "(no text)"), File: e.File}
	if e.Code != "" && e.Code != "0" && !strings.Contains(e.Text, e.Code) {
		p.Text += " (error code " + e.Code + ")"
	}
	if e.Count > 1 {
		p.Times = count(e.Count)
	}
	if !e.Time.IsZero() {
		p.When = c.near(e.Time, start, time.TimeOnly)
	}
	return p
}

// String is the error in one line: what, which, how often, when.
func (e Error) String() string {
	s := e.Text
	if e.File != "" {
		s += " [" + e.File + "]"
	}
	if e.Times != "" {
		s += ", " + e.Times + " times"
	}
	if e.When != "" {
		s += ", " + e.When
	}
	return s
}
