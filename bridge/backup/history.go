package backup

import (
	"slices"
	"strconv"
	"time"
)

// mergeHistory takes in what the history lists.
func (j *Journal) mergeHistory(o Look, rules Rules, first bool) {
	seq := j.Seq
	var fresh, ended []Known
	var doubted []Session
	for _, s := range o.History {
		if s.ID == "" { // told apart by its start, then
			s.ID = "@" + strconv.FormatInt(s.Start.Unix(), 10)
		}
		seq = max(seq, s.Seq)
		if i := j.find(s); i >= 0 {
			k := &j.Sessions[i]
			if k.Unconfirmed && k.State != s.State {
				doubted = append(doubted, s)
				continue
			}
			ran := k.State == Running
			if k.update(s, o); ran && k.State != Running {
				ended = append(ended, *k)
			}
			continue
		}
		k := Known{Session: s, BegunAt: ownTime(s.Start, o.LastRead, o.Trusted)}
		switch {
		case s.State != Running:
			k.EndedAt = ownTime(s.End, o.LastRead, o.Trusted)
			k.Old = first && !s.End.After(o.Baseline)
		case first: // since when by our clock is not known
			k.BegunAt = o.Trusted
		}
		fresh = append(fresh, k)
	}
	sortKnown(fresh)
	for _, s := range doubted {
		j.retractEnd(s, fresh, o)
	}
	j.Sessions = slices.DeleteFunc(j.Sessions, func(k Known) bool { return k.among(ended) })
	for _, k := range j.matchUnlisted(fresh, ended, o) {
		beyond := j.Seq > 0 && k.Seq > j.Seq
		if first || beyond || !k.Start.Before(j.Floor) || k.among(ended) {
			j.Sessions = append(j.Sessions, k)
		}
	}
	if seq > j.Seq && (j.Seq > 0 || j.Floor.IsZero()) && missing(fresh, j.Seq, seq) {
		j.RereadUntil = o.Now.Add(rules.Patience)
	}
	j.Seq = seq
	sortKnown(j.Sessions)
}

// missing tells whether the numbers of sessions between two of them are not all
// there: one may be listed late, behind a newer one. (Or it was a restore.)
func missing(fresh []Known, from, to int64) bool {
	n := int64(0)
	for _, k := range fresh {
		if k.Seq > from {
			n++
		}
	}
	return n < to-from
}

// find gives the remembered session with the same id; -1: none.
func (j *Journal) find(s Session) int {
	return slices.IndexFunc(j.Sessions, func(k Known) bool { return k.sameID(s) })
}

// update takes over what the history lists now. Of a session that went out
// nothing changes any more, and what ended does not run again.
func (k *Known) update(s Session, o Look) {
	if s.State != Running {
		k.Unconfirmed, k.Estimated = false, k.Estimated || k.Unconfirmed && k.Run != ""
	}
	if k.Run != "" || s.State == Running && k.State != Running {
		return
	}
	if s.State != Running && k.State == Running {
		k.EndedAt = ownTime(s.End, o.LastRead, o.Trusted)
	}
	s.Told = k.Told
	k.Session = s
}

// retractEnd corrects what was believed of a session that the history goes on to
// call running, or gives another state, where that was the end of one that it lists only
// now. One that went out is over all the same if it is called restarted, which is no
// result, or if a newer one began behind it; but one that went out as restarted has told
// none, and does so now.
func (j *Journal) retractEnd(now Session, fresh []Known, o Look) {
	at := j.find(now)
	k := &j.Sessions[at]
	told := k.Session
	told.Approx = true // its start is another's
	for i := range fresh {
		f := &fresh[i]
		if d, ok := j.reading().distance(told, f.Session); f.State == Running || f.Source.Key != k.Source.Key || !ok || d > closeMatch {
			continue
		}
		f.Told, f.Run, k.Unconfirmed, k.Estimated = k.Told, k.Run, false, k.Run != ""
		if _, passed := j.next(at); k.Run == "" || now.State == Running && !passed || now.State == Ended && k.State == Restarted {
			*k = Known{Session: Session{State: Running}, BegunAt: k.BegunAt}
		}
		break
	}
	k.update(now, o)
}

// matchUnlisted finds the sessions that are known from statistics alone among
// those that the history lists for the first time, or as ended for the first
// time, and gives the others.
func (j *Journal) matchUnlisted(fresh, ended []Known, o Look) (others []Known) {
	all := slices.Concat(fresh, ended)
	sortKnown(all)
	taken := make([]bool, len(all))
	for _, source := range sourcesOf(all) {
		rivals := j.unmatchedEnds(o, source)
		var told, listed []Session
		var toldAt, listedAt []int
		for i, k := range j.Sessions {
			if !k.listed() && k.Source.Key == source {
				toldAt = append(toldAt, i)
			}
		}
		slices.SortStableFunc(toldAt, func(a, b int) int { return j.Sessions[a].Told.Compare(j.Sessions[b].Told) })
		for _, i := range toldAt {
			told = append(told, j.Sessions[i].Session)
		}
		for i, k := range all {
			if k.Source.Key == source && k.State != Running && k.Told.IsZero() {
				listed, listedAt = append(listed, k.Session), append(listedAt, i)
			}
		}
		for t, l := range j.reading().matchListed(told, listed, nil) {
			if l < 0 {
				continue
			}
			k, s := &j.Sessions[toldAt[t]], all[listedAt[l]]
			if j.contested(*k, s, rivals) || j.isAnother(*k, s) || k.Old && s.among(ended) { // it ran when the other was over
				continue
			}
			taken[listedAt[l]], k.ToldAt = true, time.Time{}
			if k.Run == "" {
				s.Told = k.Told
				k.Session = s.Session
			} else {
				k.ID, k.Seq, k.Estimated = s.ID, s.Seq, true
			}
		}
	}
	for i, k := range all {
		if !taken[i] {
			others = append(others, k)
		}
	}
	return others
}

// endedAfter tells whether a listed session ended by so much after statistics had told
// that the other was over. Where a device's clock is off it can't be known.
func (k Known) endedAfter(told Known, by time.Duration) bool {
	return k.endedByClock() && told.endedByClock() && !told.ToldAt.IsZero() && k.End.After(told.ToldAt.Add(by))
}

// endedByClock tells whether it ended by our clock when it did by its device's, to the
// minute: that may be seconds ahead.
func (k Known) endedByClock() bool { return k.EndedAt.Sub(k.End).Abs() < closeMatch }

// unmatchedEnds are the sessions of a data source that are over as statistics tell
// now, or told while it was not known which they are.
func (j *Journal) unmatchedEnds(o Look, source string) (all []Known) {
	for _, p := range j.Pending {
		if p.Source.Key == source {
			all = append(all, p.Known)
		}
	}
	if o.Snapshot != nil {
		for _, s := range o.Snapshot.Sessions {
			if s.Source.Key == source && s.State != Running && !j.isAcknowledged(s) {
				all = append(all, Known{Session: s})
			}
		}
	}
	return all
}

func sourcesOf(all []Known) (keys []string) {
	for _, k := range all {
		if !slices.Contains(keys, k.Source.Key) {
			keys = append(keys, k.Source.Key)
		}
	}
	return keys
}
