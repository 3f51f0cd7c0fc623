package backup

import (
	"cmp"
	"slices"
	"time"
)

// member is a session that makes runs.
type member struct {
	Known
	at int // index in Journal.Sessions; -1: statistics alone tell of it, and it has no end yet
}

// members are all sessions that make runs, by start: those remembered, and
// those that statistics alone know of.
func (j *Journal) members() (all []member) {
	for i, k := range j.Sessions {
		all = append(all, member{k, i})
	}
	waiting := slices.Clone(j.Running)
	for _, p := range j.Pending { // its row will tell the rest, if it is not there already
		if j.nearestSession(p.Known, maxApart) >= 0 {
			continue
		}
		p.State, p.Status, p.End, p.Approx = Running, Success, time.Time{}, true
		p.BegunAt = p.Since // it is over: only its row is waited for
		waiting = append(waiting, p.Known)
	}
	for _, k := range waiting {
		if !slices.ContainsFunc(all, func(o member) bool { return o.State == Running && o.Source.Key == k.Source.Key }) {
			all = append(all, member{k, -1})
		}
	}
	slices.SortStableFunc(all, func(a, b member) int { return byStart(a.Session, b.Session) })
	return all
}

// groups puts the sessions into runs. Those of data sources that are filtered
// out make runs of their own, so that they neither delay nor colour the others.
func (j *Journal) groups(rules Rules, now time.Time) []group {
	all := j.members()
	var groups []group
	for _, apart := range []bool{false, true} {
		var some []Known
		var from []int
		for _, m := range all {
			if (rules.Separate != nil && rules.Separate(m.Source)) == apart {
				some, from = append(some, m.Known), append(from, m.at)
			}
		}
		r := rules
		r.BySource = r.BySource || apart
		part := groupSessions(j.Device, some, r, now)
		for i := range part {
			for m := range part[i].members {
				part[i].members[m] = from[part[i].members[m]]
			}
			for m := range part[i].replaced {
				part[i].replaced[m] = from[part[i].replaced[m]]
			}
		}
		groups = append(groups, part...)
	}
	return groups
}

// Candidate is a run that is to go out.
type Candidate struct {
	Run
	Old   bool // all of it had ended before the baseline when the device was first seen
	Doubt bool // another ledger, or this one before it was restored, may have sent it

	members []int
}

// Ready gives the runs that are to go out now, in the order of their ends, and
// those that are to be told of as overdue or silent: what runs on a device that
// is not shown can't be known. Then come the recovery tests that were not told
// of. It notes which sessions were told of by the runs that took their place.
func (j *Journal) Ready(o Look, rules Rules) (ready []Candidate) {
	groups := j.groups(rules, o.Now)
	lead := j.clockLead()
	for _, g := range groups {
		began := g.begunAt // or by the device's clock, where it was told of late
		if start := g.Start.Add(-lead); start.Before(began) {
			began = start
		}
		c := Candidate{Run: g.Run, Old: g.old, Doubt: !began.After(j.First) || !began.After(o.FirstPolled), members: append(slices.Clone(g.members), g.replaced...)}
		switch {
		case g.sent: // what a session that went out took the place of is told of, too
			j.markSent(g.replaced, g.ID)
		case g.ready && (j.overtakes(c.Run) || growsBefore(groups, g.End)):
		case g.ready:
			ready = append(ready, c)
		case g.open && !g.passed && o.Shown && rules.MaxWait > 0 && o.waited(g.begunAt) >= rules.MaxWait:
			c.Run, c.members = g.overdue(rules.MaxWait, o.Trusted), nil
			if !slices.Contains(j.Overdue, c.ID) {
				ready = append(ready, c)
			}
		}
	}
	ready = append(ready, j.recoveryRuns(o)...)
	slices.SortStableFunc(ready, func(a, b Candidate) int { return cmp.Or(a.End.Compare(b.End), cmp.Compare(a.ID, b.ID)) })
	if c, ok := j.silenceMail(o, rules); ok {
		ready = append(ready, c)
	}
	return ready
}

// clockLead is by how much the device's clock may be ahead of ours; 0: none of its
// sessions was seen before it is said to have begun.
func (j *Journal) clockLead() (lead time.Duration) {
	for _, k := range j.Sessions {
		if d := k.Start.Sub(k.BegunAt); d > 0 && !k.BegunAt.IsZero() {
			lead = max(lead, d+maxDelay)
		}
	}
	return lead
}

// overtakes tells whether the run ended behind a session whose end statistics
// told of, and that the history does not list yet, though none that it lists may
// be it. That one is waited for no longer than Rules.Patience.
func (j *Journal) overtakes(r Run) bool {
	return slices.ContainsFunc(j.Pending, func(p Pending) bool {
		return (r.Source == nil || r.Source.Key == p.Source.Key) && r.End.After(p.End) && j.nearestSession(p.Known, maxApart) < 0
	})
}

// growsBefore tells whether one of the runs ended before that time, and waits for
// what may join it still: as the newest one, while an older ran on.
func growsBefore(groups []group, end time.Time) bool {
	return slices.ContainsFunc(groups, func(g group) bool { return !g.sent && !g.open && !g.ready && g.End.Before(end) })
}

// noteSuccesses notes the ends of those that were a success.
func (j *Journal) noteSuccesses(sessions []Session) {
	for _, s := range sessions {
		if s.Finished() && s.Status == Success && s.End.After(j.Good[s.Source.Key]) {
			if j.Good == nil {
				j.Good = map[string]time.Time{}
			}
			j.Good[s.Source.Key] = s.End
		}
	}
}

func (j *Journal) markSent(members []int, run string) {
	for _, m := range members {
		if m >= 0 && j.Sessions[m].Run == "" {
			j.Sessions[m].Run = run
		}
	}
}

// Sent notes that a run is in the outbox, or was decided not to be sent.
func (j *Journal) Sent(c Candidate) {
	switch c.Kind {
	case Whole:
		j.markSent(c.members, c.ID)
		j.noteSuccesses(c.Sessions)
		p := Past{Start: c.Start, Status: c.Status, UsedStorage: c.Device.UsedStorage, InRow: c.InRow, Since: c.Since}
		if c.Source != nil {
			p.Source = c.Source.Key
		}
		j.Past = append(j.Past, p)
		slices.SortStableFunc(j.Past, func(a, b Past) int { return a.Start.Compare(b.Start) })
		j.Past = j.Past[max(0, len(j.Past)-keepPast):]
	case Overdue:
		j.Overdue = append(j.Overdue, c.ID)
		j.Overdue = j.Overdue[max(0, len(j.Overdue)-20):]
	case Recovery:
		j.noteTest(c)
	default:
		j.Silence = SilenceMail{Since: c.Start, Kind: c.Kind}
	}
	if j.WaitsForTexts.Run == c.ID {
		j.WaitsForTexts = Waits{}
	}
}

// Wait tells whether a run whose error texts can't be read now is to wait for
// the next poll; it does so for two polls.
func (j *Journal) Wait(c Candidate) bool {
	if j.WaitsForTexts.Run != c.ID {
		j.WaitsForTexts = Waits{Run: c.ID}
	}
	j.WaitsForTexts.Polls++
	return j.WaitsForTexts.Polls <= 2
}

// quietSince is when the device last finished a session by our own clock, or
// when it was first seen, if that was later.
func (j *Journal) quietSince() time.Time {
	since := j.First
	for _, k := range j.Sessions {
		if k.Finished() && k.EndedAt.After(since) {
			since = k.EndedAt
		}
	}
	return since
}

// silenceMail gives the mail about a device that has not finished a session for
// longer than its type's limit, and one more, as Failed, at three times the
// limit: each once for a period of silence, which a new session ends.
func (j *Journal) silenceMail(o Look, rules Rules) (c Candidate, ok bool) {
	limit := rules.silence(j.Device)
	quiet := o.waited(j.quietSince())
	if limit == 0 || j.Orphan || !j.MissingSince.IsZero() || !o.Shown || quiet < limit {
		return c, false
	}
	c.Run = Run{Kind: Silence, Device: j.Device, Status: Warning, Start: j.lastEnd(), End: o.Trusted, Limit: limit}
	if quiet >= 3*limit {
		c.Kind, c.Status = LongSilence, Failed
	}
	if c.Start.IsZero() {
		c.Start = j.First
	}
	if j.Silence.Since.Equal(c.Start) && (j.Silence.Kind == c.Kind || j.Silence.Kind == LongSilence) {
		return c, false
	}
	c.ID = Identity(j.Device, nil, c.Start, c.Kind)
	c.Doubt = c.Start.Before(j.First)
	last := map[string]bool{}
	for _, k := range slices.Backward(j.Sessions) {
		if k.Finished() && !last[k.Source.Key] {
			last[k.Source.Key] = true
			c.Last = append(c.Last, k.Session)
		}
	}
	SortSessions(c.Last)
	return c, true
}

// Due is when the device is to be looked at again whether or not anything
// changes; zero: never.
func (j *Journal) Due(o Look, rules Rules) (due time.Time) {
	at := func(t time.Time) {
		if due.IsZero() || t.Before(due) {
			due = t
		}
	}
	open := false
	for _, g := range j.groups(rules, o.Now) {
		switch {
		case g.sent:
		case g.open:
			open = true
			if rules.MaxWait > 0 && j.MissingSince.IsZero() && !slices.Contains(j.Overdue, g.identity(Overdue)) {
				at(o.from(g.begunAt).Add(rules.MaxWait))
			}
		case g.ready:
			at(o.Trusted)
		default:
			at(g.endedAt.Add(rules.Window + time.Second))
		}
	}
	for _, k := range j.Sessions {
		if over := k.EndedAt.Add(rules.Window); k.State == Restarted && k.Run == "" && over.After(o.Trusted) {
			at(over)
		}
	}
	if j.Reread || len(j.Pending) > 0 {
		at(o.Trusted)
	}
	if j.NoHistory != "" {
		at(j.RetryAt)
	}
	if !j.MissingSince.IsZero() && open {
		at(o.from(j.MissingSince).Add(rules.giveUpAfter()))
	}
	if limit := rules.silence(j.Device); limit > 0 && !j.Orphan && j.MissingSince.IsZero() {
		quiet := o.from(j.quietSince())
		switch {
		case !j.Silence.Since.Equal(j.lastEnd()) || j.Silence.Kind == "":
			at(quiet.Add(limit))
		case j.Silence.Kind == Silence:
			at(quiet.Add(3 * limit))
		}
	}
	return due
}
