package backup

import (
	"slices"
	"time"
)

// Rules say how sessions become runs.
type Rules struct {
	Window   time.Duration // a session joins a run if it starts no later than this after the run's latest end
	BySource bool          // each session is a run of its own
}

// Group is a run as it stands: perhaps still growing, perhaps still running.
type Group struct {
	Run
	// Sent: its sessions went out already, under Run.ID.
	Sent bool
	// Open holds what keeps it from being ready; empty: it is ready.
	Open string

	late bool // it came after a run had gone out that it would have joined or opened
}

// Unfinished tells whether it waits for a session to end.
func (g *Group) Unfinished() bool {
	return slices.ContainsFunc(g.Sessions, func(s Session) bool { return !s.Finished() })
}

// Groups puts the sessions of one device into runs, oldest first.
//
// Taken in the order of their starts, a session joins the newest run if that
// run has no session of its data source yet and the session starts no later
// than the window after the run's latest end; an unfinished session has no
// end, so any start joins. Otherwise it opens a new run. A session that would
// join a run that went out already makes a run of its own. A restarted
// session is replaced by the next one of its data source within the window.
//
// A run is ready when none of its sessions is unfinished and nothing can join
// it any more: a newer run exists, or at is past the window after its latest
// end. at is the product's clock before the sessions were read.
func Groups(d Device, sessions []Session, rules Rules, at time.Time) []Group {
	sessions = slices.Clone(sessions)
	SortSessions(sessions)
	live, replaced := replace(sessions, rules.Window, at)

	var groups []Group
	newest := -1 // the run that the next session may join
	byID := map[string]int{}
	for _, s := range live {
		if s.Run != "" {
			i, ok := byID[s.Run]
			if !ok {
				i = len(groups)
				groups = append(groups, Group{Run: Run{ID: s.Run}, Sent: true})
				byID[s.Run] = i
				newest = i
			}
			groups[i].Sessions = append(groups[i].Sessions, s)
			continue
		}
		if s.vague() {
			continue
		}
		joins := !rules.BySource && newest >= 0 && groups[newest].takes(s, rules.Window)
		if joins && !groups[newest].Sent {
			groups[newest].Sessions = append(groups[newest].Sessions, s)
			continue
		}
		groups = append(groups, Group{Run: Run{Sessions: []Session{s}}, late: joins})
		if !joins { // what came too late for its run opens none that others may join
			newest = len(groups) - 1
		}
	}
	groups = place(groups, live, rules)
	for i := range groups {
		g := &groups[i]
		g.settle(d, rules, at, i != newest)
		if _, taken := byID[g.ID]; taken && !g.Sent {
			g.late = true
			g.ID = g.identity(Whole)
		}
		for _, r := range replaced {
			if slices.ContainsFunc(g.Sessions, func(s Session) bool { return same(s, r.by) }) {
				g.Replaced = append(g.Replaced, r.Session)
			}
		}
	}
	return groups
}

// place puts the sessions that run since nobody knows when into the first run
// that they may belong to, so that it waits for them; the others don't. They
// open a run only where there is no such run.
func place(groups []Group, live []Session, rules Rules) []Group {
	for _, s := range live {
		if !s.vague() || s.Run != "" {
			continue
		}
		i := slices.IndexFunc(groups, func(g Group) bool {
			return !rules.BySource && !g.Sent && !g.late && !g.has(s.Source) && !g.end().Add(rules.Window).Before(s.Start)
		})
		if i < 0 {
			groups = append(groups, Group{Run: Run{Sessions: []Session{s}}})
			continue
		}
		groups[i].Sessions = append(groups[i].Sessions, s)
	}
	return groups
}

// takes tells whether the session belongs to the run, as it stands so far.
func (g *Group) takes(s Session, window time.Duration) bool {
	if g.has(s.Source) {
		return false
	}
	unfinished := slices.ContainsFunc(g.Sessions, func(m Session) bool { return m.End.IsZero() })
	return unfinished || !s.Start.After(g.end().Add(window))
}

func (g *Group) has(source DataSource) bool {
	return slices.ContainsFunc(g.Sessions, func(m Session) bool { return m.Source.Key == source.Key })
}

// end is the latest end so far.
func (g *Group) end() (end time.Time) {
	for _, s := range g.Sessions {
		if s.End.After(end) {
			end = s.End
		}
	}
	return end
}

// settle fills in what follows from the sessions. passed: a newer run exists.
func (g *Group) settle(d Device, rules Rules, at time.Time, passed bool) {
	g.Device, g.Kind, g.Start, g.End = d, Whole, g.Sessions[0].Start, g.end()
	if rules.BySource {
		g.Source = &g.Sessions[0].Source
	}
	for _, s := range g.Sessions {
		if s.Finished() {
			g.Status = max(g.Status, s.Status)
		} else if g.Open == "" {
			g.Open = s.Source.Name + " is unfinished"
		}
	}
	if g.End.Before(g.Start) {
		g.End = g.Start
	}
	if g.ID == "" {
		g.ID = g.identity(Whole)
	}
	if g.Open == "" && !rules.BySource && !passed && !at.After(g.End.Add(rules.Window)) {
		g.Open = "more may join until " + g.End.Add(rules.Window).UTC().Format(time.RFC3339)
	}
}

// identity is the run's. One that came too late for the run it belonged to
// carries its data source, for it may have started in the same second.
func (g *Group) identity(kind Kind) string {
	source := g.Source
	if g.late {
		source = &g.Sessions[0].Source
	}
	return Identity(g.Device, source, g.Start, kind)
}

// Overdue is the run as it is told of when it has been unfinished for longer
// than limit, at the product's time at: a Warning, whatever is known so far, for
// its own result still comes.
func (g *Group) Overdue(limit time.Duration, at time.Time) Run {
	r := g.Run
	r.Kind, r.ID, r.Limit = Overdue, g.identity(Overdue), limit
	r.Status, r.End = Warning, at
	return r
}

type replacement struct {
	Session
	by Session
}

// replace takes out the restarted sessions that the next one of their data
// source replaced. One that nothing can replace any more, because its window
// is over and a later session exists, ends as a Warning: it has no result, and
// must not be lost.
func replace(sorted []Session, window time.Duration, at time.Time) (live []Session, gone []replacement) {
	for i, s := range sorted {
		if s.State != Restarted || s.Run != "" {
			live = append(live, s)
			continue
		}
		next := slices.IndexFunc(sorted[i+1:], func(n Session) bool { return n.Source.Key == s.Source.Key })
		if next < 0 {
			live = append(live, s)
			continue
		}
		n := sorted[i+1+next]
		if s.End.IsZero() || !n.Start.After(s.End.Add(window)) {
			gone = append(gone, replacement{s, n})
			continue
		}
		s.State, s.Status = Ended, Warning
		live = append(live, s)
	}
	// A chain of restarts is replaced by the session at its end.
	for i := range gone {
		for j := i + 1; j < len(gone); j++ {
			if same(gone[i].by, gone[j].Session) {
				gone[i].by = gone[j].by
			}
		}
	}
	return live, gone
}

// same tells whether two values are the same entry of one list.
func same(a, b Session) bool {
	return a.Row == b.Row && a.ID == b.ID && a.Source.Key == b.Source.Key && a.Start.Equal(b.Start)
}

// Anchored tells whether the grouping of everything that starts at or after t
// is sure, though nothing before the first session given is known: somewhere
// before t, or at the first session, there is a gap wider than the window.
func Anchored(sessions []Session, window time.Duration, t time.Time) bool {
	sorted := slices.Clone(sessions)
	SortSessions(sorted)
	var end time.Time
	for i, s := range sorted {
		if i > 0 && !end.IsZero() && s.Start.After(end.Add(window)) && !s.Start.After(t) {
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
	return len(sorted) == 0 || !t.Before(end.Add(window))
}
