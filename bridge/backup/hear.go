package backup

import (
	"slices"
	"time"
)

// newest is when the last session began that statistics tell of; zero: none ever did.
func (o Look) newest() (start time.Time) {
	if o.Snapshot != nil {
		for _, s := range o.Snapshot.Sessions {
			start = latest(start, s.Start)
		}
	}
	return start
}

// hear takes in what statistics tell: what runs, and which ends are new.
func (j *Journal) hear(o Look, rules Rules, first bool) {
	was := j.Running
	j.Running = nil
	for _, s := range o.Snapshot.Sessions {
		if s.State == Running {
			k := Known{Session: s, Begun: between(s.Start, o.Last, o.Sure)}
			if s.Approx || o.Last.IsZero() { // since when is not known
				k.Begun = o.Sure
			}
			if i := slices.IndexFunc(was, func(w Known) bool { return w.Source.Key == s.Source.Key && (w.Approx || w.Start.Equal(s.Start)) }); i >= 0 {
				k.Begun = was[i].Begun
			}
			j.Running = append(j.Running, k)
			continue
		}
		told := s.Told
		if told.IsZero() || slices.ContainsFunc(j.Heard[s.Source.Key], told.Equal) ||
			slices.ContainsFunc(j.Pending, func(p Pending) bool { return p.Source.Key == s.Source.Key && p.Told.Equal(told) }) {
			continue
		}
		k := Known{Session: s, Begun: between(s.Start, o.Last, o.Sure), Done: between(s.End, o.Last, o.Sure)}
		if first && !s.End.After(o.Baseline) {
			k.Old = true
			if j.associate(s, o.Now.Add(rules.Patience)) < 0 {
				j.remember(k)
			}
			j.acknowledge(s)
			continue
		}
		j.Pending = append(j.Pending, Pending{Known: k, Since: o.Now})
	}
}

// await deals with the ends that statistics told of: each is a session that
// the history lists, or one that it will list, or, where the history can't be
// read or does not list it in the end, one that statistics alone tell of.
func (j *Journal) await(o Look, rules Rules) {
	slices.SortStableFunc(j.Pending, func(a, b Pending) int { return a.Told.Compare(b.Told) })
	j.Pending = slices.DeleteFunc(j.Pending, func(p Pending) bool {
		patient := p.Looks < 2 || o.Now.Sub(p.Since) < rules.Patience
		switch {
		case j.associate(p.Session, o.Now.Add(rules.Patience)) >= 0:
		case j.NoHistory != "":
			j.believe(p.Known)
		case !patient && !j.explain(p.Session):
			j.believe(p.Known)
		case patient:
			return false
		}
		j.acknowledge(p.Session)
		return true
	})
	for i := range j.Pending {
		p := &j.Pending[i]
		if o.Read {
			p.Looks++
		}
		if p.Since.After(o.Now) { // a clock was put back
			p.Since = o.Now
		}
	}
}

// associate finds the listed session that statistics told the end of, among
// those that come after the one that they told of before, and marks it; -1: none.
func (j *Journal) associate(told Session, until time.Time) int {
	best, least := -1, time.Duration(apart)
	if j.NoHistory != "" { // its own may not be listed at all
		least = near
	}
	for i, k := range slices.Backward(j.Sessions) {
		if k.Source.Key != told.Source.Key || !k.listed() || k.State == Running {
			continue
		}
		if !k.Told.IsZero() {
			if k.Told.Before(told.Told) {
				break
			}
			continue
		}
		if d, ok := distance(told, k.Session); ok && d <= least {
			best, least = i, d
		}
	}
	if best >= 0 {
		j.Sessions[best].Told = told.Told
		if s := j.Sessions[best]; min(told.Told.Sub(s.End).Abs(), told.Told.Sub(s.Start).Abs()) > exact {
			j.Watch = until // it might be one that the history does not list yet, close to this one
		}
	}
	return best
}

// explain tells whether the history lists a session for this end, too, if those
// that were told around it are given to others, in their order; it does so.
func (j *Journal) explain(told Session) bool {
	var ends, listed []Session
	var at []int
	for i, k := range j.Sessions {
		if k.Source.Key != told.Source.Key || !k.listed() || k.State == Running || k.Start.Sub(told.Told).Abs() > day/8 {
			continue
		}
		listed, at = append(listed, k.Session), append(at, i)
		if !k.Told.IsZero() {
			s := k.Session
			s.Approx = true
			ends = append(ends, s)
		}
	}
	ends = append(ends, told)
	slices.SortStableFunc(ends, func(a, b Session) int { return a.Told.Compare(b.Told) })
	match := matchListed(ends, listed)
	if slices.Contains(match, -1) {
		return false
	}
	for _, i := range at {
		j.Sessions[i].Told = time.Time{}
	}
	for e, l := range match {
		j.Sessions[at[l]].Told = ends[e].Told
	}
	return true
}

// believe records a session that statistics alone tell of. It may be the end
// of one that the history listed as running.
func (j *Journal) believe(told Known) {
	for i := range j.Sessions {
		k := &j.Sessions[i]
		if k.Source.Key != told.Source.Key || k.State != Running || k.Run != "" {
			continue
		}
		if told.Approx || told.Start.Sub(k.Start).Abs() <= 2*near {
			id, seq, start := k.ID, k.Seq, k.Start
			k.Session = told.Session
			k.ID, k.Seq, k.Start, k.Approx, k.Done = id, seq, start, false, told.Done
			if k.End.Before(k.Start) {
				k.End = k.Start
			}
			return
		}
	}
	j.remember(told)
}

// remember adds a session that statistics alone tell of.
func (j *Journal) remember(told Known) {
	j.Sessions = append(j.Sessions, told)
	sortKnown(j.Sessions)
}

// acknowledge remembers that an end was dealt with.
func (j *Journal) acknowledge(told Session) {
	if j.Heard == nil {
		j.Heard = map[string][]time.Time{}
	}
	heard := append(j.Heard[told.Source.Key], told.Told)
	j.Heard[told.Source.Key] = heard[max(0, len(heard)-4):]
}
