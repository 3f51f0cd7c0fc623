package backup

import (
	"slices"
	"time"
)

// endWedged ends the sessions that can't end by themselves any more: only one
// session of a data source runs at a time, so a running one behind which a newer
// one began is over; and so is everything on a device that is gone for long.
func (j *Journal) endWedged(o Look, rules Rules) {
	limit := rules.giveUpAfter()
	gone := !j.MissingSince.IsZero() && o.waited(j.MissingSince) >= limit
	if gone {
		for _, p := range j.Pending {
			j.acceptStatistics(p.Known)
			j.acknowledge(p.Session)
		}
		j.Running, j.Pending = nil, nil
	}
	for i := range j.Sessions {
		k := &j.Sessions[i]
		if k.State != Running || k.Run != "" {
			continue
		}
		next, passed := j.next(i)
		ended := slices.ContainsFunc(j.Pending, func(p Pending) bool {
			return p.Source.Key == k.Source.Key && (p.Approx || p.Start.Sub(k.Start).Abs() <= maxApart)
		})
		switch {
		case ended: // statistics told how, and will be believed
		case gone:
			k.giveUp(k.Start, o.Trusted)
		case passed && k.Superseded && (o.Read || o.NoHistory != "" && o.waited(k.BegunAt) >= limit):
			k.giveUp(next, o.Trusted)
		case passed: // the history may be about to tell its end
			k.Superseded, j.Reread = true, j.NoHistory == ""
			if at := o.from(k.BegunAt).Add(limit); at.Before(j.RetryAt) { // nor is it given up before it was asked
				j.RetryAt = at
			}
		}
	}
}

// after tells whether the session at n came after the one at i: by their numbers
// where they have some, for a device's clock may be put back.
func (j *Journal) after(n, i int) bool {
	if a, b := j.Sessions[i].Seq, j.Sessions[n].Seq; a > 0 && b > 0 {
		return b > a
	}
	return n > i
}

// next is when the session of the same data source began that came after that one.
func (j *Journal) next(i int) (start time.Time, ok bool) {
	for n, o := range j.Sessions {
		if o.Source.Key == j.Sessions[i].Source.Key && j.after(n, i) && (!ok || o.Start.Before(start)) {
			start, ok = o.Start, true
		}
	}
	return start, ok
}

// endRestarted ends the restarted sessions that no other took the place of
// within the window: such a one has no result, and must not be lost.
func (j *Journal) endRestarted(o Look, rules Rules) {
	for i := range j.Sessions {
		k := &j.Sessions[i]
		if k.State != Restarted || k.Run != "" {
			continue
		}
		next := slices.IndexFunc(j.Sessions[i+1:], func(n Known) bool { return n.Source.Key == k.Source.Key })
		switch {
		case next >= 0 && (k.End.IsZero() || !j.Sessions[i+1+next].Start.After(k.End.Add(rules.Window))):
			continue // replaced
		case next < 0 && (j.expects(k.Source) || o.Now.Before(k.EndedAt.Add(rules.Window))):
			continue // the next one may still come
		}
		k.State, k.Status = Ended, Warning
		if k.End.IsZero() {
			k.End = k.Start
		}
	}
}

// expects tells whether a session of the data source runs, or has ended and is
// not listed yet, as far as statistics tell.
func (j *Journal) expects(source DataSource) bool {
	same := func(k Known) bool { return k.Source.Key == source.Key }
	return slices.ContainsFunc(j.Running, same) || slices.ContainsFunc(j.Pending, func(p Pending) bool { return same(p.Known) })
}
