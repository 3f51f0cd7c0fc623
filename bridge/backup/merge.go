package backup

import (
	"slices"
	"time"
)

// skew is how far statistics and history may be apart on the same session's
// start or end.
const skew = 5 * time.Minute

// Merge brings what was just read of one device together with what is known,
// and gives all of it: one entry for each session, however often and by
// whichever way it was seen.
//
// Two views are of one session if the history's id is the same, or if
// statistics told the same end. A view from the history and one from
// statistics are of one session if they are of one data source, each has no
// better partner, and their starts or ends are no more than 5 minutes apart;
// one that statistics showed running is the first that ended after it began.
// History is believed over statistics, and what ended does not run again. Of a
// session that went out already, only the marks that tell it apart are taken.
func Merge(known, seen []Session) []Session {
	all := slices.Clone(known)
	partner := pair(known, seen)
	for i, s := range seen {
		if k, ok := partner[i]; ok {
			all[k] = update(all[k], s)
		} else {
			all = append(all, s)
		}
	}
	SortSessions(all)
	return all
}

// Unmatched gives the seen sessions that ended and that nothing known stands for.
func Unmatched(known, seen []Session) []Session {
	partner := pair(known, seen)
	var alone []Session
	for i, s := range seen {
		if _, ok := partner[i]; !ok && s.Finished() {
			alone = append(alone, s)
		}
	}
	return alone
}

// pair finds for each seen session the known one that it is a view of.
func pair(known, seen []Session) map[int]int {
	partner, taken := map[int]int{}, map[int]bool{}
	type mark struct{ source, id string }
	marks := map[mark]int{}
	lastTold := map[string]time.Time{}
	for k, s := range known {
		if s.ID != "" {
			marks[mark{s.Source.Key, s.ID}] = k
		}
		if !s.Told.IsZero() {
			marks[mark{s.Source.Key, s.Told.UTC().String()}] = k
			if s.Told.After(lastTold[s.Source.Key]) {
				lastTold[s.Source.Key] = s.Told
			}
		}
	}
	for i, s := range seen {
		k, ok := marks[mark{s.Source.Key, s.ID}]
		if !ok && !s.Told.IsZero() {
			k, ok = marks[mark{s.Source.Key, s.Told.UTC().String()}]
		}
		if ok && !taken[k] {
			partner[i], taken[k] = k, true
		}
	}
	type candidate struct {
		i, k  int
		apart time.Duration
	}
	var near []candidate
	for i, s := range seen {
		if _, ok := partner[i]; ok {
			continue
		}
		for k, o := range known {
			if taken[k] || o.Source.Key != s.Source.Key || o.ID != "" && s.ID != "" || !o.Told.IsZero() && !s.Told.IsZero() {
				continue
			}
			// Statistics tell of the newest end only: once they told of one, an
			// older session is not what they mean.
			if s.ID == "" && !o.End.IsZero() && o.End.Before(lastTold[s.Source.Key]) {
				continue
			}
			if apart, ok := distance(o, s); ok {
				near = append(near, candidate{i, k, apart})
			}
		}
	}
	slices.SortStableFunc(near, func(a, b candidate) int { return int(a.apart - b.apart) })
	for _, c := range near {
		if _, ok := partner[c.i]; !ok && !taken[c.k] {
			partner[c.i], taken[c.k] = c.k, true
		}
	}
	return partner
}

// distance tells whether two views may be of one session, and how far apart
// they are.
func distance(a, b Session) (time.Duration, bool) {
	if a.ID == "" && b.ID == "" && a.State == b.State && a.State != Running {
		return 0, false // statistics that told two ends told of two sessions
	}
	if b.State == Running {
		a, b = b, a
	}
	apart := a.Start.Sub(b.Start).Abs()
	switch ends := a.End.Sub(b.End).Abs(); {
	case a.State == Running && (a.ID == "" || b.Approx):
		// Only one session of a data source runs at a time, so that of all that
		// ended after it began the first is the one that ran. What statistics
		// tell of its start is no sure sign.
		return b.End.Sub(a.Start).Abs(), b.End.IsZero() || !b.End.Before(a.Start.Add(-skew))
	case a.Approx || b.Approx:
		apart = ends
	case a.State != Running:
		apart = min(apart, ends)
	}
	return apart, apart <= skew
}

// update gives the known session with what was seen of it since.
func update(k, s Session) Session {
	id, told := k.ID, k.Told
	if s.ID != "" {
		id = s.ID
	}
	if !s.Told.IsZero() {
		told = s.Told
	}
	stale := s.State == Running && k.State != Running
	weaker := k.State == Ended && (k.ID != "" && s.ID == "" || s.Approx && !k.Approx)
	if k.Run == "" && !stale && !weaker {
		s.Row = k.Row
		if s.Approx && !k.Approx || k.ID != "" && s.ID == "" {
			s.Start, s.Approx = k.Start, k.Approx
		}
		k = s
	}
	k.ID, k.Told = id, told
	return k
}
