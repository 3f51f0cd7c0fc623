package backup

import (
	"slices"
	"time"
)

const (
	day = 24 * time.Hour
	// baselineMargin is how far before the baseline the history is read at first
	// sight, so that no run is cut in two.
	baselineMargin = day
	// backJump is how far back of a told session the history is read where the
	// device's clock was put back.
	backJump = 7 * day
	// singleReadAge is how far before the newest known session an unfinished one is
	// read with the others; one further back is asked for by itself.
	singleReadAge = 7 * day
	// unlistedSpan is how far back of the newest known session those are looked for that
	// statistics alone told of.
	unlistedSpan = 2 * day
	// orphanAge is after how long a silence a device, when first seen, is taken
	// for one that nobody uses any more.
	orphanAge = 14 * day
)

// Reading says which part of a history is wanted, in the sessions' own time.
type Reading struct {
	Needed bool
	Since  time.Time   // all that started at or after
	Single []time.Time // and those that started at these very moments
}

// ReadFrom says how much of the history has to be read, given what statistics
// show (nil: nothing new). No clock has a say in it but at first sight: it is
// read back to sessions that are known and final. baseline is as in Look.
func (j *Journal) ReadFrom(snap *Snapshot, baseline, now time.Time) Reading {
	if j.First.IsZero() {
		return j.firstReading(snap, baseline)
	}
	r := Reading{Needed: snap != nil || j.Reread || len(j.Pending) > 0 || j.NoHistory != "" && !now.Before(j.RetryAt)}
	if !r.Needed {
		return r
	}
	since := func(t time.Time) {
		if t.Before(r.Since) {
			r.Since = t
		}
	}
	var newest time.Time
	for _, k := range j.Sessions {
		if k.State != Running && k.Start.After(newest) && (k.listed() || j.NoHistory == "") {
			newest = k.Start
		}
	}
	if newest.IsZero() {
		newest = j.Floor
	}
	r.Since = newest // zero: from the beginning, for the device had never run when it was first seen
	for _, k := range j.Sessions {
		age := newest.Sub(k.Start)
		switch {
		case k.State != Running && k.listed(): // final
			if j.Reread && k.Seq > 0 && k.Seq == j.Seq && k.Start.Before(newest) { // one listed late lies behind it, too, where its clock was put back
				since(k.Start.Add(-day))
			}
		case !k.listed() && (k.Old || age > keepUnlisted || age > unlistedSpan && j.NoHistory == ""): // found by now, or never
		case k.State == Running && j.stillRuns(k, snap):
		case k.State == Running && k.Start.Before(newest.Add(-singleReadAge)):
			r.Single = append(r.Single, k.Start)
		default:
			since(k.Start)
		}
	}
	unacknowledged := slices.Clone(j.Pending)
	if snap != nil {
		for _, s := range snap.Sessions {
			if !s.Told.IsZero() && !j.isAcknowledged(s) {
				unacknowledged = append(unacknowledged, Pending{Known: Known{Session: s}})
			}
		}
	}
	for _, p := range unacknowledged {
		if p.Start.Before(newest) { // listed late, or the device's clock was put back
			since(p.Start)
			if p.Start.Before(newest.Add(-day)) {
				since(p.Start.Add(-backJump))
			}
		}
	}
	return r
}

// firstReading is that of a device that was never looked at: nothing where all
// that statistics tell of ended before the baseline.
func (j *Journal) firstReading(snap *Snapshot, baseline time.Time) Reading {
	r := Reading{Since: baseline.Add(-baselineMargin)}
	if snap != nil {
		r.Needed = slices.ContainsFunc(snap.Sessions, func(s Session) bool { return s.State == Running || s.End.After(baseline) })
	}
	return r
}

// stillRuns tells whether statistics say that the session still runs.
func (j *Journal) stillRuns(k Known, snap *Snapshot) bool {
	if snap == nil {
		return slices.ContainsFunc(j.Running, func(r Known) bool { return r.Source.Key == k.Source.Key })
	}
	return slices.ContainsFunc(snap.Sessions, func(s Session) bool { return s.Source.Key == k.Source.Key && s.State == Running })
}

const (
	keep         = 3 * day  // of sessions that went out, before the newest
	keepTenant   = 10 * day // of Microsoft 365, which lists some a week late
	keepUnlisted = 14 * day // of those that statistics alone told of
	keepMost     = 300
	keepSource   = 3 // of each data source, however old
	keepPast     = 50
)

// trim forgets sessions that no look needs any more. A listed one that is
// older than those remembered is not taken for new.
func (j *Journal) trim() {
	span := time.Duration(keep)
	if j.Device.Type == Microsoft365 {
		span = keepTenant
	}
	var newest time.Time
	for _, k := range j.Sessions {
		if k.Start.After(newest) {
			newest = k.Start
		}
	}
	left := map[string]int{}
	drop := make([]bool, len(j.Sessions))
	for i, k := range slices.Backward(j.Sessions) {
		left[k.Source.Key]++
		age := newest.Sub(k.Start)
		recent := age <= span || !k.listed() && age <= keepUnlisted
		drop[i] = k.Run != "" && left[k.Source.Key] > keepSource && (!recent || len(j.Sessions)-i > keepMost)
		if drop[i] && !k.Start.Before(j.Floor) {
			j.Floor = k.Start.Add(time.Second)
		}
	}
	i := -1
	j.Sessions = slices.DeleteFunc(j.Sessions, func(Known) bool { i++; return drop[i] })
}

// lastEnd is when the device last finished a session; where it never did, when
// it was set up; zero: neither is known.
func (j *Journal) lastEnd() (end time.Time) {
	end = j.Device.Created
	for _, k := range j.Sessions {
		if k.Finished() && k.End.After(end) {
			end = k.End
		}
	}
	return end
}
