package backup

import (
	"fmt"
	"slices"
	"time"
)

// Past is a run that went out, as far as later ones speak of it.
type Past struct {
	Start       time.Time `json:"start"`
	Status      Status    `json:"status"`
	Source      string    `json:"source,omitempty"` // key; where each data source makes runs of its own
	UsedStorage int64     `json:"used_storage"`
	InRow       int       `json:"in_row,omitempty"` // as in Run
	Since       time.Time `json:"since,omitzero"`   // as in Run
}

// WithRuns gives the days, each as bad as the worst of the runs that began on it, in
// this zone: of a day's sessions, the product tells of the newest alone.
func WithRuns(days []Day, past []Past, zone *time.Location) []Day {
	days = slices.Clone(days)
	for i := range days {
		for _, p := range past {
			if d := &days[i]; p.Start.In(zone).Format(time.DateOnly) == d.Date && (p.Status > d.Status || d.Word == "") {
				d.Word, d.Status = p.Status.String(), p.Status
			}
		}
	}
	return days
}

// Complete adds what follows from what was before: the runs without success in
// a row, the last successes, the change in sizes, remarks.
func (j *Journal) Complete(run *Run) {
	switch run.Kind {
	case Whole:
		run.Sessions = slices.Clone(run.Sessions)
		earlier := j.earlier(run)
		j.compare(run, earlier)
		if run.Status != Success {
			run.InRow, run.Since = inRow(earlier)
			if run.InRow++; run.Since.IsZero() {
				run.Since = run.Start
			}
		}
		run.Good = j.good(run.Sessions, func(s Session) bool { return s.Finished() && s.Status == Success })
	case Overdue:
		run.Good = j.good(run.Sessions, Session.Finished)
	case Silence, LongSilence:
		run.Good = j.good(run.Last, func(Session) bool { return false })
	}
}

// earlier are the runs that went out and began before this one, by start.
func (j *Journal) earlier(run *Run) []Past {
	source := ""
	if run.Source != nil {
		source = run.Source.Key
	}
	return slices.DeleteFunc(slices.Clone(j.Past), func(p Past) bool { return p.Source != source || !p.Start.Before(run.Start) })
}

// inRow counts the runs without success that are the last of those, and says
// when the first of them began.
func inRow(earlier []Past) (n int, since time.Time) {
	for _, p := range slices.Backward(earlier) {
		if p.Status == Success {
			break
		}
		if p.InRow > 0 { // it was counted already, further back than is remembered
			return n + p.InRow, p.Since
		}
		n, since = n+1, p.Start
	}
	return n, since
}

// good gives the last success of the sessions' data sources before them, but of
// those that are left out, the oldest first.
func (j *Journal) good(sessions []Session, leaveOut func(Session) bool) (list []Good) {
	for _, s := range sessions {
		if leaveOut(s) {
			continue
		}
		g := Good{Source: s.Source}
		until := s.Start // what succeeded later is not before it
		if s.Finished() && s.Status == Success {
			until = s.End
		}
		for _, t := range []time.Time{j.Device.Good[s.Source.Key], j.Good[s.Source.Key]} {
			if !t.After(until) {
				g.End = latest(g.End, t)
			}
		}
		for _, k := range j.Sessions {
			if k.Source.Key == s.Source.Key && k.Finished() && k.Status == Success && !k.End.After(until) {
				g.End = latest(g.End, k.End)
			}
		}
		list = append(list, g)
	}
	slices.SortStableFunc(list, func(a, b Good) int { return a.End.Compare(b.End) })
	return list
}

// compare sets the totals of the sessions before, one for each data source of
// the run, and remarks on a selection that shrank. Where a data source has no
// session before, there is nothing to compare with.
func (j *Journal) compare(run *Run, earlier []Past) {
	before := Run{Device: Device{UsedStorage: Unknown}}
	if len(earlier) > 0 {
		before.Device.UsedStorage = earlier[len(earlier)-1].UsedStorage
	}
	for i, s := range run.Sessions {
		if old, found := j.before(s); found {
			run.Sessions[i].Before = &Amounts{old.SelectedCount, old.SelectedBytes, old.SentBytes}
			before.Sessions = append(before.Sessions, old)
			if text := shrank(old, s); text != "" {
				run.Remarks = append(run.Remarks, text)
			}
		}
	}
	if len(before.Sessions) == len(run.Sessions) {
		t := before.Totals()
		run.Previous = &t
	}
}

// before gives the newest finished session of the same data source that
// started before s.
func (j *Journal) before(s Session) (old Session, found bool) {
	for _, k := range slices.Backward(j.Sessions) {
		if k.Source.Key == s.Source.Key && k.Finished() && k.Start.Before(s.Start) {
			return k.Session, true
		}
	}
	return old, false
}

// shrank says that a data source selects less than half of what it did; "" if not.
// What a session that failed selected says nothing.
func shrank(old, now Session) string {
	if !now.Finished() || now.Status == Failed || old.SelectedBytes <= 0 || now.SelectedBytes < 0 {
		return ""
	}
	switch {
	case now.SelectedBytes == 0:
		return fmt.Sprintf("%s selects nothing any more; the session before selected data.", now.Source.Name)
	case now.SelectedBytes < old.SelectedBytes/2:
		return fmt.Sprintf("%s selects %d%% less than the session before.", now.Source.Name, 100-now.SelectedBytes*100/max(old.SelectedBytes, 1))
	}
	return ""
}
