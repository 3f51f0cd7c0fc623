package backup

import "time"

// Span gives the runs that ended in [since, until) (until zero: no limit) as
// they follow from a history read for it, in the order of their ends: those
// that did not go out as far as the journal remembers, the old ones included.
// The journal itself does not change.
func (j *Journal) Span(history []Session, rules Rules, since, until time.Time, o Look) (runs []Candidate) {
	work := j.Clone()
	work.Floor, work.First = time.Time{}, latest(j.First, o.Trusted)
	work.mergeHistory(Look{Trusted: o.Trusted, History: history}, rules, false)
	for i := range work.Sessions {
		if k := &work.Sessions[i]; k.Old { // on record as not sent
			k.Run = ""
		}
	}
	for _, c := range work.Ready(o, Rules{Window: rules.Window, BySource: rules.BySource, Separate: rules.Separate}) {
		if c.Kind == Whole && !c.End.Before(since) && (until.IsZero() || c.End.Before(until)) {
			c.Old, c.Doubt, c.members = false, true, nil
			runs = append(runs, c)
		}
	}
	return runs
}

// SentLater notes that a run of a Span is in the outbox, for those of its
// sessions that the journal remembers.
func (j *Journal) SentLater(c Candidate) {
	for _, s := range append(c.Sessions[:len(c.Sessions):len(c.Sessions)], c.Replaced...) {
		for i := range j.Sessions {
			k := &j.Sessions[i]
			if k.Source.Key == s.Source.Key && k.Run == "" && (k.ID == s.ID && k.ID != "" || k.Start.Equal(s.Start)) {
				k.Run = c.ID
			}
		}
	}
}
