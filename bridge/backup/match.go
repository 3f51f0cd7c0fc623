package backup

import (
	"slices"
	"time"
)

// Statistics tell the end of the newest session of each data source, the
// history lists sessions; the two may be minutes apart, and whether what
// statistics tell is an end or a start is not settled. What follows decides
// which listed session a told one is.
const (
	// maxApart is how far the two may be from each other.
	maxApart = 10 * time.Minute
	// statusPenalty is what another result weighs, in time.
	statusPenalty = 5 * time.Minute
	// readingPenalty is what taking an end for a start weighs, where ends are told.
	readingPenalty = 4 * time.Minute
	// closeMatch is how close they must be where the history can't be read now.
	closeMatch = time.Minute
	// exactMatch is how close they must be for the match to be taken without another look.
	exactMatch = 5 * time.Second
)

// reading is what the time that statistics tell of a session is.
type reading int

const (
	endOrStart reading = iota // not known
	isEnd
	isStart
)

// reading is what the matches made so far tell, if they agree.
func (j *Journal) reading() reading {
	var ends, starts int
	for _, k := range j.Sessions {
		if !k.isMatched() {
			continue
		}
		toEnd, toStart := k.Told.Sub(k.End).Abs(), k.Told.Sub(k.Start).Abs()
		switch {
		case toEnd < toStart/4:
			ends++
		case toStart < toEnd/4:
			starts++
		}
	}
	switch {
	case ends > 0 && starts == 0:
		return isEnd
	case starts > 0 && ends == 0:
		return isStart
	}
	return endOrStart
}

// typicalDelay is by how much later than the history statistics tell times, as it
// was with the matches made so far; 0: nothing is known of it.
func (j *Journal) typicalDelay(r reading) time.Duration {
	var all []time.Duration
	for _, k := range j.Sessions {
		switch {
		case !k.isMatched():
		case r == isEnd:
			all = append(all, k.Told.Sub(k.End))
		case r == isStart:
			all = append(all, k.Told.Sub(k.Start))
		}
	}
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// withoutDelay is a told session with the times that the history is likely to tell of it.
func (j *Journal) withoutDelay(told Session) Session {
	late := j.typicalDelay(j.reading())
	told.Told, told.Start, told.End = told.Told.Add(-late), told.Start.Add(-late), told.End.Add(-late)
	return told
}

// distance is how far a told session is from a listed one; ok: it may be the
// same. The reading that fits better counts, with a burden if it is not the one
// that is known: a session that did not complete may be told of in another way.
func (r reading) distance(told, listed Session) (d time.Duration, ok bool) {
	asEnd, asStart := readings(told, listed)
	if d = min(asEnd, asStart); d > maxApart || told.State == Ended && (listed.State == Ended && (told.Status == Failed) != (listed.Status == Failed) ||
		listed.State == Restarted && told.Status == Success) {
		return d, false
	}
	return r.nearer(asEnd, asStart) + otherResult(told, listed), true
}

// otherResult is what it weighs if the two have not the same result.
func otherResult(told, listed Session) time.Duration {
	if told.Status != listed.Status || told.State != listed.State {
		return statusPenalty
	}
	return 0
}

// nearer is the lesser of two distances, where the one that takes what is told for
// what it is not known to be has a burden.
func (r reading) nearer(asEnd, asStart time.Duration) time.Duration {
	switch r {
	case isEnd:
		asStart += readingPenalty
	case isStart:
		asEnd += readingPenalty
	}
	return min(asEnd, asStart)
}

// readings are how far a told session is from a listed one where an end is told
// of, and where a start is.
func readings(told, listed Session) (asEnd, asStart time.Duration) {
	took := told.End.Sub(told.Start)
	asEnd, asStart = told.Told.Sub(listed.End).Abs(), told.Told.Sub(listed.Start).Abs()
	if !told.Approx && took > 0 && !listed.Approx {
		asEnd = (asEnd + told.Told.Add(-took).Sub(listed.Start).Abs()) / 2
		asStart = (asStart + told.Told.Add(took).Sub(listed.End).Abs()) / 2
	}
	return asEnd, asStart
}

// contested tells whether a listed session, which may be a told one, is rather
// one of the others that were told of: of sessions back to back, the end of one
// is near the start of the next. What was told while that next one ran is hardly
// its start, for statistics tell of sessions that are over.
func (j *Journal) contested(told, listed Known, others []Known) bool {
	read := j.reading()
	nearest := func(told Known) time.Duration {
		asEnd, asStart := readings(j.withoutDelay(told.Session), listed.Session)
		if listed.endedAfter(told, 0) {
			asStart += readingPenalty
		}
		return read.nearer(asEnd, asStart) + otherResult(told.Session, listed.Session)
	}
	return slices.ContainsFunc(others, func(o Known) bool { return nearest(o) < nearest(told) })
}

// isAnother tells whether a listed session is none that was told of, however near the
// two are: it ran on for long after that was told, or has a result of its own.
func (j *Journal) isAnother(told, listed Known) bool {
	return listed.endedAfter(told, maxApart) || j.hasOwnResult(told.Session, listed.Session)
}

// hasOwnResult tells whether a listed session completed with another result than what
// was told, and at another time: not to the minute, after the delay that is known, by
// the reading that is known. Its result was not told, then.
func (j *Journal) hasOwnResult(told, listed Session) bool {
	if told.Status == listed.Status || told.State != Ended || listed.State != Ended {
		return false
	}
	asEnd, asStart := readings(j.withoutDelay(told), listed)
	switch j.reading() {
	case isEnd:
		return asEnd >= closeMatch
	case isStart:
		return asStart >= closeMatch
	}
	return min(asEnd, asStart) >= closeMatch
}

// matchListed finds for each of the told sessions the listed one that it is,
// both in their order, so that no session ever stands for two: as many as
// possible, and of those ways the one with the least distance over all. -1: none.
// never tells which can't be the same, whatever their times are; nil: none.
func (r reading) matchListed(told, listed []Session, never func(t, l int) bool) []int {
	type cell struct {
		matched int
		cost    time.Duration
	}
	better := func(a, b cell) bool { return a.matched > b.matched || a.matched == b.matched && a.cost < b.cost }
	best := make([][]cell, len(told)+1) // best[i][j]: of told from i and listed from j on
	for i := range best {
		best[i] = make([]cell, len(listed)+1)
	}
	take := func(i, j int) (cell, bool) {
		d, ok := r.distance(told[i], listed[j])
		rest := best[i+1][j+1]
		return cell{rest.matched + 1, rest.cost + d}, ok && (never == nil || !never(i, j))
	}
	for i := len(told) - 1; i >= 0; i-- {
		for j := len(listed) - 1; j >= 0; j-- {
			best[i][j] = best[i+1][j]
			if better(best[i][j+1], best[i][j]) {
				best[i][j] = best[i][j+1]
			}
			if c, ok := take(i, j); ok && better(c, best[i][j]) {
				best[i][j] = c
			}
		}
	}
	match := make([]int, len(told))
	j := 0
	for i := range told {
		match[i] = -1
		for j < len(listed) && best[i][j] != best[i+1][j] {
			c, ok := take(i, j)
			j++
			if ok && c == best[i][j-1] {
				match[i] = j - 1
				break
			}
		}
	}
	return match
}
