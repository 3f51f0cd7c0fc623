package message

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"covebridge/bridge/backup"
)

// objects gives the run's data sources, in the order in which they started.
// For a silence they are the last known ones, with the status of the silence:
// that their last session was fine is not what the mail is about.
func (c clock) objects(r backup.Run) []Object {
	sessions, silent := r.Sessions, isSilence(r)
	if silent {
		sessions = r.Last
	}
	objects := make([]Object, len(sessions))
	folded := make([][]backup.Error, len(sessions))
	wants := make([]int, len(sessions))
	for i, s := range sessions {
		folded[i] = Fold(s.Errors)
		wants[i] = len(folded[i])
	}
	shown := divideEvenly(wants, MaxErrors)
	for i, s := range sessions {
		status := sessionStatus(s)
		result := cmp.Or(s.Result, none)
		if silent {
			status, result = r.Status, "nothing since; last: "+result
		}
		if when := c.session(s); when != "" {
			result += ", " + when
		}
		o := Object{Number: i + 1, Total: len(sessions), Name: cmp.Or(s.Source.Name, s.Source.Key, none),
			Status: status, Colour: colours[status], Lines: []Line{{"Result", result}},
			What: c.sessionSentence(s, r, silent), Hours: c.timeRange(s.Start, s.End, r.Start)}
		o.Selected, o.Sent = volumes(s)
		if data := dataLine(s); data != "" {
			o.Lines = append(o.Lines, Line{"Data", data})
		}
		if n := errorCount(s); n > 0 {
			o.Lines = append(o.Lines, Line{"Errors", count(n)})
		}
		if s.ErrorsMissing != "" {
			o.Lines = append(o.Lines, Line{"No error texts", s.ErrorsMissing})
		}
		for _, e := range folded[i][:shown[i]] {
			o.Errors = append(o.Errors, c.problem(e, s.Start))
		}
		if more := wants[i] - shown[i]; more > 0 {
			o.Errors = append(o.Errors, Error{Text: fmt.Sprintf("and %s more", count(int64(more)))})
		}
		if o.First = o.Errors; len(o.First) > first {
			o.First = append(slices.Clone(o.First[:first]), Error{Text: fmt.Sprintf("and %s more", count(int64(wants[i]-first)))})
		}
		objects[i] = o
	}
	return objects
}

// first is how many errors of a data source the record of the HTML part repeats
// from above, for the reader of mails.
const first = 3

// sessionSentence says in a sentence or two how a session went.
func (c clock) sessionSentence(s backup.Session, r backup.Run, silent bool) string {
	text := cmp.Or(s.Result, none)
	ref := r.Start
	if silent {
		ref = r.End // days later: the day is told
	}
	hours := c.timeRange(s.Start, s.End, ref)
	if s.Approx && hours != "" {
		hours = "about " + hours
	}
	switch {
	case silent && hours != "":
		text = "nothing since " + hours + "; that one: " + text
	case silent:
		text = "nothing since; the last one: " + text
	case hours != "":
		text += ", " + hours
	}
	if n := errorCount(s); n > 0 {
		text += ", " + plural(n, "error")
		if s.State == backup.Running {
			text += " so far"
		}
	}
	if s.ErrorsMissing != "" {
		text += "; no error texts: " + s.ErrorsMissing
	}
	text += "."
	if s.Before != nil && s.Finished() && !silent {
		if by := difference(s.SelectedBytes, s.Before.SelectedBytes, size); by != "" && by != "as before" {
			text += " Selected " + size(s.SelectedBytes) + ", " + by + " than the run before."
		}
	}
	return text
}

// volumes says what a session selected and sent, and how far that is from the
// one before.
func volumes(s backup.Session) (selected, sent string) {
	with := func(text, by string) string {
		if by != "" {
			text += ", " + by
		}
		return text
	}
	before := cmp.Or(s.Before, &backup.Amounts{SelectedCount: backup.Unknown, SelectedBytes: backup.Unknown, SentBytes: backup.Unknown})
	switch {
	case s.SelectedBytes >= 0:
		selected = with(size(s.SelectedBytes), difference(s.SelectedBytes, before.SelectedBytes, size))
	case s.SelectedCount >= 0:
		selected = with(count(s.SelectedCount)+" items", difference(s.SelectedCount, before.SelectedCount, count))
	}
	if s.SentBytes >= 0 {
		sent = with(size(s.SentBytes), difference(s.SentBytes, before.SentBytes, size))
	}
	return selected, sent
}

// sessionStatus is the session's status for the reader: one that has not ended
// has none yet, and is in a mail only because it should have.
func sessionStatus(s backup.Session) backup.Status {
	if !s.Finished() {
		return backup.Warning
	}
	return min(max(s.Status, backup.Success), backup.Failed)
}

// errorCount is the session's number of errors, at least that of its texts.
func errorCount(s backup.Session) int64 {
	return backup.Run{Sessions: []backup.Session{s}}.Totals().ErrorCount
}

// dataLine writes what the session moved, as far as known.
func dataLine(s backup.Session) string {
	var parts []string
	for _, p := range []struct {
		what         string
		bytes, count int64
	}{
		{"selected", s.SelectedBytes, s.SelectedCount},
		{"processed", s.ProcessedBytes, s.ProcessedCount},
		{"sent", s.SentBytes, backup.Unknown},
	} {
		if a := amount(p.bytes, backup.Unknown, p.count); a != "" {
			parts = append(parts, p.what+" "+a)
		}
	}
	return strings.Join(parts, "; ")
}

// summary says in a sentence or two what happened.
func (c clock) summary(r backup.Run) string {
	switch r.Kind {
	case backup.Overdue:
		var open []string
		for _, s := range r.Sessions {
			if !s.Finished() {
				open = append(open, sessionName(s))
			}
		}
		return fmt.Sprintf("Still unfinished after %s: %s. The result follows when it ends.", span(overdueFor(r)), listFirst(open))
	case backup.Silence, backup.LongSilence:
		return c.silence(r)
	case backup.Recovery:
		return c.recovery(r)
	case backup.Heartbeat:
		return heartbeat(r)
	case backup.Digest:
		return digest(r)
	}
	text := c.outcome(r)
	if r.InRow > 1 {
		text += fmt.Sprintf(" %s run in a row without success, since %s.", ordinal(r.InRow), r.Since.In(c.loc).Format("2 Jan 2006"))
	}
	return text
}

// outcome says which data sources succeeded and which did not.
func (c clock) outcome(r backup.Run) string {
	var bad []string
	for _, want := range []backup.Status{backup.Failed, backup.Warning} {
		for _, s := range r.Sessions {
			if sessionStatus(s) == want {
				bad = append(bad, want.String()+": "+sessionName(s))
			}
		}
	}
	n, good, end := len(r.Sessions), len(r.Sessions)-len(bad), "."
	if good == n && r.Status != backup.Success { // a rule of the configuration has it so
		end = ", but see the remark."
	}
	switch {
	case n == 0:
		return "No data source told of a session."
	case n == 1 && good == 1:
		return cmp.Or(r.Sessions[0].Source.Name, "The backup") + " succeeded" + end
	case good == n:
		return fmt.Sprintf("All %d data sources succeeded%s", n, end)
	case n == 1:
		return listFirst(bad) + "."
	}
	return fmt.Sprintf("%s. %d of %d data sources succeeded.", listFirst(bad), good, n)
}

// heartbeat says what is wrong with the bridge itself.
func heartbeat(r backup.Run) string {
	var bad []string
	for _, s := range r.Sessions {
		if s.Status != backup.Success {
			bad = append(bad, s.Status.String()+": "+cmp.Or(s.Source.Name, s.Source.Key))
		}
	}
	if len(bad) == 0 {
		return "covebridge is at work, and nothing is wrong with it."
	}
	return "covebridge needs attention. " + listFirst(bad) + "."
}

// digest says how many of a customer's jobs need attention, and names some.
func digest(r backup.Run) string {
	var jobs []string
	for _, s := range r.Sessions {
		jobs = append(jobs, s.Status.String()+": "+cmp.Or(s.Source.Name, s.Source.Key))
	}
	if len(jobs) == 1 {
		return "One job needs attention. " + jobs[0] + "."
	}
	return fmt.Sprintf("%d jobs need attention. %s.", len(jobs), listFirst(jobs))
}

// silence says since when nothing was heard.
func (c clock) silence(r backup.Run) string {
	limit := "the limit is " + span(r.Limit)
	if r.Kind == backup.LongSilence {
		limit = "three times the limit of " + span(r.Limit) + " is over"
	}
	last := newest(r.Last)
	if last == nil {
		s := "No backup has ever finished, as far as known; " + limit + "."
		if !r.Device.Created.IsZero() {
			s += " The device was set up " + c.full(r.Device.Created) + "."
		}
		return s
	}
	s := "No backup has finished"
	if !r.Start.IsZero() && !r.End.IsZero() {
		s += " for " + span(r.Duration())
	}
	return s + ": no run failed, there was none; " + limit + ". The last one was " + sessionName(*last) + ", " + cmp.Or(c.session(*last), "at an unknown time") + "."
}

// overdueFor is how long the run has gone on, or the limit it passed.
func overdueFor(r backup.Run) backup.Duration {
	if r.Limit > 0 {
		return r.Limit
	}
	return r.Duration()
}

// newest is the session that ended last, or nil.
func newest(sessions []backup.Session) *backup.Session {
	var last *backup.Session
	for i, s := range sessions {
		if s.Finished() && (last == nil || s.End.After(last.End)) {
			last = &sessions[i]
		}
	}
	return last
}

// sessionName is a session in a sentence: "Files and folders (CompletedWithErrors (8))".
func sessionName(s backup.Session) string {
	return cmp.Or(s.Source.Name, s.Source.Key, none) + " (" + cmp.Or(s.Result, none) + ")"
}

// listFirst lists the first five.
func listFirst(list []string) string {
	if len(list) > 5 {
		list = append(list[:5:5], fmt.Sprintf("and %d more", len(list)-5))
	}
	return cmp.Or(strings.Join(list, "; "), none)
}
