package backup

import (
	"slices"
	"time"
)

// group is a run as it stands: perhaps still growing, perhaps still running.
type group struct {
	Run
	members  []int     // of the sessions given, those in it
	replaced []int     // those restarted ones that a member took the place of
	endedAt  time.Time // when it ended by our own clock
	begunAt  time.Time // when it began by our own clock
	old      bool      // each of its sessions had ended before the baseline
	sent     bool      // its sessions went out already, under Run.ID
	late     bool      // it came after a run had gone out that it would have joined or opened
	open     bool      // a session of it runs
	passed   bool      // one of those is over, but its end is not known yet
	ready    bool      // nothing is unfinished, and nothing can join it any more
}

// grouping puts the sessions of one device into runs.
type grouping struct {
	device Device
	all    []Known
	rules  Rules
	now    time.Time
	groups []group
	newest int // the group that the next session may join; -1: none
}

// groupSessions puts the sessions of one device into runs, oldest first.
//
// Taken in the order of their starts, a session joins the newest run if that
// run has no session of its data source yet and the session starts no later
// than the window after the run's latest end; an unfinished session has no
// end, so any start joins. Otherwise it opens a new run. A session that would
// join a run that went out already makes a run of its own. A restarted
// session is replaced by the next one of its data source within the window.
//
// A run is ready when none of its sessions is unfinished and nothing can join
// it any more: a newer run exists, or now is past the window after its end.
func groupSessions(d Device, all []Known, rules Rules, now time.Time) []group {
	g := grouping{device: d, all: all, rules: rules, now: now, newest: -1}
	by := g.replaced()
	for i, k := range all {
		if by[i] < 0 && (!k.vague() || k.Run != "") {
			g.add(i)
		}
	}
	for i, k := range all {
		if k.vague() && k.Run == "" {
			g.addVague(i)
		}
	}
	sent := map[string]bool{}
	for _, o := range g.groups {
		sent[o.ID] = sent[o.ID] || o.sent
	}
	for i := range g.groups {
		o := &g.groups[i]
		for r, n := range by {
			if n >= 0 && slices.Contains(o.members, n) {
				o.replaced = append(o.replaced, r)
				o.Replaced = append(o.Replaced, all[r].Session)
			}
		}
		g.finish(o, i != g.newest)
		if !o.sent && sent[o.ID] {
			o.late = true
			o.ID = o.identity(Whole)
		}
	}
	return g.groups
}

// add puts a session where it belongs, in the order of starts.
func (g *grouping) add(i int) {
	k := g.all[i]
	if k.Run != "" {
		at := slices.IndexFunc(g.groups, func(o group) bool { return o.sent && o.ID == k.Run })
		if at < 0 {
			at = len(g.groups)
			g.groups = append(g.groups, group{Run: Run{ID: k.Run}, sent: true})
			g.newest = at
		}
		g.groups[at].members = append(g.groups[at].members, i)
		return
	}
	joins := !g.rules.BySource && g.newest >= 0 && g.accepts(g.groups[g.newest], k)
	if joins && !g.groups[g.newest].sent {
		g.groups[g.newest].members = append(g.groups[g.newest].members, i)
		return
	}
	g.groups = append(g.groups, group{members: []int{i}, late: joins})
	if !joins { // what came too late for its run opens none that others may join
		g.newest = len(g.groups) - 1
	}
}

// addVague puts a session that runs since nobody knows when into the first run
// that it may belong to, so that it waits for it; the others don't. It opens a
// run only where there is no such run.
func (g *grouping) addVague(i int) {
	k := g.all[i]
	at := slices.IndexFunc(g.groups, func(o group) bool {
		return !g.rules.BySource && !o.sent && !o.late && !g.has(o, k.Source) && !g.end(o).Add(g.rules.Window).Before(k.Start) && !g.old(o)
	})
	if at < 0 {
		g.groups = append(g.groups, group{members: []int{i}})
		return
	}
	g.groups[at].members = append(g.groups[at].members, i)
}

// accepts tells whether the session belongs to the run, as it stands so far.
func (g *grouping) accepts(o group, k Known) bool {
	if g.has(o, k.Source) {
		return false
	}
	unfinished := slices.ContainsFunc(o.members, func(m int) bool { return g.all[m].End.IsZero() })
	return unfinished || !k.Start.After(g.end(o).Add(g.rules.Window))
}

func (g *grouping) has(o group, source DataSource) bool {
	return slices.ContainsFunc(o.members, func(m int) bool { return g.all[m].Source.Key == source.Key })
}

func (g *grouping) old(o group) bool {
	return !slices.ContainsFunc(o.members, func(m int) bool { return !g.all[m].Old })
}

// end is the latest end so far.
func (g *grouping) end(o group) (end time.Time) {
	for _, m := range o.members {
		if e := g.all[m].End; e.After(end) {
			end = e
		}
	}
	return end
}

// finish fills in what follows from the sessions. passed: a newer run exists.
func (g *grouping) finish(o *group, passed bool) {
	finished := true // a restarted one is not, but may wait for what takes its place
	for _, m := range o.members {
		k := g.all[m]
		o.Sessions = append(o.Sessions, k.Session)
		if k.Finished() {
			o.Status = max(o.Status, k.Status)
		}
		finished = finished && k.Finished()
		if k.EndedAt.After(o.endedAt) {
			o.endedAt = k.EndedAt
		}
		if o.begunAt.IsZero() || k.BegunAt.Before(o.begunAt) || k.vague() && !o.open { // the others ended, perhaps long before it began
			o.begunAt = k.BegunAt
		}
		o.open = o.open || k.State == Running
		o.passed = o.passed || k.State == Running && k.Superseded
	}
	o.Device, o.Kind, o.Start, o.End, o.old = g.device, Whole, o.Sessions[0].Start, g.end(*o), g.old(*o)
	if g.rules.BySource {
		o.Source = &o.Sessions[0].Source
	}
	if o.End.Before(o.Start) {
		o.End = o.Start
	}
	if o.ID == "" {
		o.ID = o.identity(Whole)
	}
	o.ready = finished && !o.sent && (passed || g.rules.BySource || o.late || g.now.After(o.endedAt.Add(g.rules.Window)))
}

// identity is the run's. One that came too late for the run it belonged to
// carries its data source, for it may have started in the same second.
func (o *group) identity(kind Kind) string {
	source := o.Source
	if o.late {
		source = &o.Sessions[0].Source
	}
	return Identity(o.Device, source, o.Start, kind)
}

// overdue is the run as it is told of when it has been unfinished for longer
// than limit: a Warning, whatever is known so far, for its own result still comes.
func (o *group) overdue(limit time.Duration, found time.Time) Run {
	r := o.Run
	r.Kind, r.ID, r.Limit = Overdue, o.identity(Overdue), limit
	r.Status, r.End = Warning, found
	return r
}

// replaced tells for each session which one took its place, if it was
// restarted and the next one of its data source began within the window; -1: none.
func (g *grouping) replaced() []int {
	by := make([]int, len(g.all))
	for i := len(g.all) - 1; i >= 0; i-- {
		by[i] = -1
		k := g.all[i]
		if k.State != Restarted || k.Run != "" {
			continue
		}
		next := g.next(i)
		if next < 0 || !k.End.IsZero() && g.all[next].Start.After(k.End.Add(g.rules.Window)) {
			continue
		}
		if by[i] = next; by[next] >= 0 { // a chain is replaced by the session at its end
			by[i] = by[next]
		}
	}
	return by
}

// next is the session of the same data source that began after the i-th; -1: none.
func (g *grouping) next(i int) int {
	for n := i + 1; n < len(g.all); n++ {
		if g.all[n].Source.Key == g.all[i].Source.Key {
			return n
		}
	}
	return -1
}

// Anchored tells whether the grouping of everything that starts at or after t
// is sure, though nothing before the first session given is known: somewhere
// before t, or at the first session, there is a gap wider than the window.
func Anchored(sessions []Session, window time.Duration, t time.Time) bool {
	sorted := slices.Clone(sessions)
	SortSessions(sorted)
	var end time.Time
	for _, s := range sorted {
		if !end.IsZero() && s.Start.After(end.Add(window)) && !s.Start.After(t) {
			return true
		}
		if s.Start.After(t) {
			return end.IsZero() || s.Start.After(end.Add(window))
		}
		if s.End.IsZero() {
			return false
		}
		if s.End.After(end) {
			end = s.End
		}
	}
	return !t.Before(end.Add(window))
}
