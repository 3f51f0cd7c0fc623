package backup

import (
	"slices"
	"time"
)

// newestStart is when the last session began that statistics tell of; zero: none ever did.
func (o Look) newestStart() (start time.Time) {
	if o.Snapshot != nil {
		for _, s := range o.Snapshot.Sessions {
			start = latest(start, s.Start)
		}
	}
	return start
}

// mergeStatistics takes in what statistics tell: what runs, and which ends are new.
func (j *Journal) mergeStatistics(o Look, rules Rules, first bool) {
	was := j.Running
	j.Running = nil
	for _, s := range o.Snapshot.Sessions {
		if s.State == Running {
			k := Known{Session: s, BegunAt: ownTime(s.Start, o.LastRead, o.Trusted)}
			if s.Approx || o.LastRead.IsZero() { // since when is not known
				k.BegunAt = o.Trusted
			}
			i := slices.IndexFunc(was, func(w Known) bool { return w.Source.Key == s.Source.Key && w.Start.Equal(s.Start) })
			if i >= 0 {
				k.BegunAt = was[i].BegunAt
			}
			j.Running = append(j.Running, k)
			continue
		}
		if j.isAcknowledged(s) {
			j.acknowledge(s) // it is told of for as long as others behind it only restart
			continue
		}
		if s.Told.IsZero() || j.isPending(s) {
			continue
		}
		k := Known{Session: s, BegunAt: ownTime(s.Start, o.LastRead, o.Trusted), EndedAt: ownTime(s.End, o.LastRead, o.Trusted), ToldAt: o.Trusted}
		if first && !s.End.After(o.Baseline) {
			k.Old = true
			if !j.matchSession(k, maxApart) {
				j.addSession(k)
			}
			j.acknowledge(s)
			continue
		}
		j.Pending = append(j.Pending, Pending{Known: k, Since: o.Trusted})
	}
}

// matchPending deals with the ends that statistics told of: each is a session that
// the history lists, or one that it will list, or, where the history can't be
// read or does not list it in the end, one that statistics alone tell of.
//
// An end is given to a listed session at once only where the two agree to a few
// seconds. What agrees less waits for as long as the history is waited for: its
// own session may not be listed yet, and the near one may be another's.
func (j *Journal) matchPending(o Look, rules Rules) {
	slices.SortStableFunc(j.Pending, func(a, b Pending) int { return a.Told.Compare(b.Told) })
	deal := func(dealt func(Pending) bool) {
		for _, p := range slices.Clone(j.Pending) {
			if dealt(p) {
				j.acknowledge(p.Session)
				j.Pending = slices.DeleteFunc(j.Pending, func(o Pending) bool { return o.sameEnd(p.Session) })
			}
		}
	}
	deal(func(p Pending) bool { return j.matchSession(p.Known, exactMatch) })
	deal(func(p Pending) bool {
		switch patient := p.Looks < 2 || o.waited(p.Since) < rules.Patience; {
		case j.NoHistory != "": // its own may not be listed at all, unless it was looked for
			if !j.matchSession(p.Known, closeMatch) && (p.Looks == 0 || !j.matchAround(p)) {
				j.acceptStatistics(p.Known)
			}
		case patient:
			return false
		case !j.matchAround(p) && !j.assignEnd(p.Session, j.nearestUncontested(p, readingPenalty-1)): // the order is lost where a clock was put back
			j.acceptStatistics(p.Known)
		}
		return true
	})
	for i := range j.Pending {
		p := &j.Pending[i]
		if o.Read {
			p.Looks++
		}
		if p.Since.After(o.Trusted) { // a clock was put back
			p.Since = o.Trusted
		}
	}
}

// matchSession gives the end that statistics told of to a listed session, if there
// is one that may be it and is no further off than that.
func (j *Journal) matchSession(told Known, least time.Duration) bool {
	return j.assignEnd(told.Session, j.nearestSession(told, least))
}

// assignEnd gives the end to the listed session at that index; -1: there is none.
func (j *Journal) assignEnd(told Session, at int) bool {
	if at >= 0 {
		j.Sessions[at].Told = told.Told
	}
	return at >= 0
}

// nearestSession finds the listed session that statistics may have told the end of,
// among those that come after the one that they told of before; -1: none.
func (j *Journal) nearestSession(told Known, least time.Duration) int {
	best, last, read := -1, -1, j.reading()
	for i, k := range j.Sessions {
		if k.listedEnd(told.Source) && !k.Told.IsZero() && k.Told.Before(told.Told) && (last < 0 || j.after(i, last)) {
			last = i
		}
	}
	for i, k := range slices.Backward(j.Sessions) {
		if !k.listedEnd(told.Source) || !k.Told.IsZero() || last >= 0 && !j.after(i, last) {
			continue
		}
		if d, ok := read.distance(told.Session, k.Session); ok && d <= least && !j.isAnother(told, k) {
			best, least = i, d
		}
	}
	return best
}

// mayClaim tells whether an end that waits may be that of the listed session, beside one
// that was told: what was told of later is not one that had been over before.
func (p Pending) mayClaim(k Known, told Pending) bool {
	return !p.Since.After(told.Since) || k.EndedAt.After(told.Since)
}

// nearestUncontested finds the listed session that statistics may have told the end of,
// unless another end that waits is nearer to it.
func (j *Journal) nearestUncontested(told Pending, least time.Duration) int {
	at := j.nearestSession(told.Known, least)
	if at < 0 {
		late := told.Known
		late.Session = j.withoutDelay(told.Session)
		at = j.nearestSession(late, closeMatch)
	}
	if at < 0 || j.nearerToAnother(told, at) {
		return -1
	}
	return at
}

// nearerToAnother tells whether the listed session is nearer to another end that waits.
func (j *Journal) nearerToAnother(told Pending, at int) bool {
	k := j.Sessions[at]
	var rivals []Known
	for _, p := range j.Pending {
		if p.Source.Key == told.Source.Key && p.mayClaim(k, told) {
			rivals = append(rivals, p.Known)
		}
	}
	return j.contested(told.Known, k, rivals)
}

// matchAround tells whether the history lists a session for this end, too, if those
// that were told around it are given to others, in their order; it does so.
// Those that still wait keep their sessions free. The order of ends is not that of
// starts where the device's clock was put back between two sessions.
func (j *Journal) matchAround(told Pending) bool {
	near := func(t time.Time) bool { return t.Sub(told.Told).Abs() <= day/8 }
	var ends []Session
	var at []int
	for i, k := range j.Sessions {
		if !k.listedEnd(told.Source) || !near(k.Start) && !near(k.End) {
			continue
		}
		at = append(at, i)
		if !k.Told.IsZero() {
			s := k.Session
			s.Approx = true
			ends = append(ends, s)
		}
	}
	for _, p := range j.Pending {
		if p.Source.Key == told.Source.Key && near(p.Told) {
			ends = append(ends, p.Session)
		}
	}
	slices.SortStableFunc(ends, func(a, b Session) int { return a.Told.Compare(b.Told) })
	byEnd := slices.Clone(at)
	slices.SortStableFunc(byEnd, func(a, b int) int { return j.Sessions[a].End.Compare(j.Sessions[b].End) })
	return j.matchEnds(told, ends, byEnd) || j.matchEnds(told, ends, at)
}

// matchEnds gives the ends to the listed sessions at those indices, both in their
// order, if there is one for each; but those that still wait may go without, and
// keep theirs free: also one that ended only after this end was told, if it is theirs.
func (j *Journal) matchEnds(told Pending, ends []Session, at []int) bool {
	var listed []Session
	for _, i := range at {
		listed = append(listed, j.Sessions[i].Session)
	}
	waits := func(end Session) bool {
		return !end.Told.Equal(told.Told) && j.isPending(end)
	}
	match := j.reading().matchListed(ends, listed, func(e, l int) bool {
		return slices.ContainsFunc(j.Pending, func(p Pending) bool { return p.sameEnd(ends[e]) && !p.mayClaim(j.Sessions[at[l]], told) })
	})
	for e, l := range match {
		switch own := ends[e].Told.Equal(told.Told); {
		case waits(ends[e]):
		case l < 0, own && j.Sessions[at[l]].endedAfter(told.Known, 0) && j.nearerToAnother(told, at[l]):
			return false
		}
	}
	for _, i := range at {
		j.Sessions[i].Told = time.Time{}
	}
	for e, l := range match {
		if l >= 0 && !waits(ends[e]) {
			j.Sessions[at[l]].Told = ends[e].Told
		}
	}
	return true
}

// acceptStatistics records a session that statistics alone tell of. It may be the end
// of one that the history listed as running.
func (j *Journal) acceptStatistics(told Known) {
	begins := told.Session // if a start was told, and taken for an end
	begins.Start, begins.End = told.Told, told.Told.Add(told.End.Sub(told.Start))
	read := j.reading()
	late, least := j.typicalDelay(read), 2*closeMatch
	unknown := told.Approx && told.End.Equal(told.Start) // how long it took
	switch read {
	case endOrStart:
		least = maxApart / 2
	case isStart:
		told.Session = begins
	}
	for i := range j.Sessions {
		k := &j.Sessions[i]
		if k.Source.Key != told.Source.Key || k.State != Running || k.Run != "" {
			continue
		}
		switch {
		case told.Told.Add(-late).Before(k.Start.Add(-2 * closeMatch)): // neither its end nor its start
			continue
		case unknown || told.Start.Add(-late).Sub(k.Start).Abs() <= least:
		case read == endOrStart && begins.Start.Sub(k.Start).Abs() <= closeMatch:
			told.Session = begins
		default:
			continue
		}
		id, seq, start := k.ID, k.Seq, k.Start
		k.Session = told.Session
		k.ID, k.Seq, k.Start, k.Approx, k.EndedAt, k.Unconfirmed = id, seq, start, false, told.EndedAt, true
		if k.End.Before(k.Start) {
			k.End = k.Start
		}
		return
	}
	j.addSession(told)
}

// addSession adds a session that statistics alone tell of.
func (j *Journal) addSession(told Known) {
	j.Sessions = append(j.Sessions, told)
	sortKnown(j.Sessions)
}

// isAcknowledged tells whether the end was dealt with.
func (j *Journal) isAcknowledged(told Session) bool {
	return slices.ContainsFunc(j.Acknowledged[told.Source.Key], told.Told.Equal) ||
		slices.ContainsFunc(j.Sessions, func(k Known) bool { return k.sameEnd(told) })
}

// isPending tells whether it is not known yet whose end that is.
func (j *Journal) isPending(told Session) bool {
	return slices.ContainsFunc(j.Pending, func(p Pending) bool { return p.sameEnd(told) })
}

// acknowledge remembers that an end was dealt with, as the newest told of.
func (j *Journal) acknowledge(told Session) {
	if j.Acknowledged == nil {
		j.Acknowledged = map[string][]time.Time{}
	}
	heard := append(slices.DeleteFunc(j.Acknowledged[told.Source.Key], told.Told.Equal), told.Told)
	j.Acknowledged[told.Source.Key] = heard[max(0, len(heard)-4):]
}
