package cove

import (
	"time"

	"covebridge/bridge/backup"
)

// told is what statistics tell of one data source. F17 and F18 are the status
// and the end of the last session that completed; F00 is the last status, F12
// the last duration and F15 the last time. Whether F15 is a start or an end is
// not settled, so it counts as a start only where it is later than F18, which
// an end of the same session can't be.
type told struct {
	last, done  status         // F00, F17
	moment, end time.Time      // F15, F18
	took        time.Duration  // F12
	full        backup.Session // with the counts
	bare        backup.Session // without
}

// lastSessions gives the last session of a data source and, where the last one
// has not completed, the one that completed before.
func (c *Client) lastSessions(r deviceRow, src source, d backup.Device, at time.Time) []backup.Session {
	get := func(f field) value { return r.columns[column(src, f)] }
	count := func(f field) int64 { return get(f).count() }
	t := told{
		last: get(fStatus).status(), done: get(fDoneStatus).status(), took: get(fDuration).seconds(),
		moment: c.believed(get(fTime).time(), at, d), end: c.believed(get(fDoneTime).time(), at, d),
		full: backup.Session{
			Source:        src.dataSource(),
			SelectedCount: count(fSelectedCount), SelectedBytes: count(fSelectedBytes),
			ProcessedCount: count(fProcessedCount), ProcessedBytes: count(fProcessedBytes),
			SentBytes: count(fSentBytes), ErrorCount: max(count(fErrors), 0),
		},
		bare: backup.Session{
			Source: src.dataSource(), SelectedCount: backup.Unknown, SelectedBytes: backup.Unknown,
			ProcessedCount: backup.Unknown, ProcessedBytes: backup.Unknown, SentBytes: backup.Unknown,
		},
	}
	if t.done.running() {
		t.done = status{}
	}
	if t.last.running() {
		return c.running(t, d, at)
	}
	return c.ended(t, at)
}

// running gives the session that runs and the one that completed before it.
//
// Whose the duration and the counts are meanwhile is not settled: the running
// one's, if the duration is as long as it runs; else still those of the one
// before, as F17 and F18 are.
func (c *Client) running(t told, d backup.Device, at time.Time) (all []backup.Session) {
	runs, before := t.bare, t.full
	if known := t.moment.After(t.end); known && t.took > 0 && (at.Sub(t.moment)-t.took).Abs() <= 5*time.Minute {
		runs, before, t.took = t.full, t.bare, 0
	}
	if !t.end.IsZero() && !t.done.none() {
		before.Start, before.Approx, before.End, before.Told = t.end.Add(-t.took), true, t.end, t.end
		all = append(all, c.settled(before, t.done))
	}
	if runs.Start = t.moment; !t.moment.After(t.end) {
		runs.Start, runs.Approx = t.end, true
	}
	if runs.Start.IsZero() {
		runs.Start = d.Created
	}
	if !runs.Start.IsZero() {
		all = append(all, c.settled(runs, t.last))
	}
	return all
}

// ended gives the last session, which is over, and the one that completed
// before it where it did not complete itself.
func (c *Client) ended(t told, at time.Time) (all []backup.Session) {
	switch {
	case t.last.none():
		t.last = t.done
	case t.last.number == stRestarted && !t.done.none() && !t.moment.After(t.end):
		// A restarted session never completed, so that F18 is another one's, and
		// of its own no time is told. The next one takes its place anyway.
		t.last = t.done
	}
	s := t.full
	switch {
	case t.last.none():
		return nil
	case !t.end.IsZero() && (t.done == t.last || t.done.none() || !t.moment.After(t.end)):
		s.Start, s.End, s.Told = t.end.Add(-t.took), t.end, t.end
		return []backup.Session{c.settled(s, t.last)}
	case t.moment.IsZero():
		return nil // a status without a time: nothing can be made of it
	}
	if !t.end.IsZero() && !t.done.none() {
		before := t.bare // whatever else is told is of the last one
		before.Start, before.Approx, before.End, before.Told = t.end, true, t.end, t.end
		all = append(all, c.settled(before, t.done))
	}
	// Told must not change from poll to poll as End may, and the duration may be
	// that of the one before.
	s.Start, s.Approx, s.End, s.Told = t.moment, len(all) > 0, t.moment, t.moment
	if stop := t.moment.Add(t.took); !stop.After(at) {
		s.End = stop
	}
	return append(all, c.settled(s, t.last))
}

// settled fills in what follows from the status.
func (c *Client) settled(s backup.Session, st status) backup.Session {
	s.State, s.Result, s.Status = st.state(), st.String(), c.outcome(st, s.ErrorCount)
	if s.State == backup.Running {
		s.End, s.Told = time.Time{}, time.Time{}
	}
	return s
}

// believed gives the time, or none if it lies more than a day in the future by
// Cove's clock and by ours: a
// session of tomorrow would keep its run from ever being ready, and one whose
// time was bent would be another session at every poll. It is shown once its
// time has come, and said once.
func (c *Client) believed(t, at time.Time, d backup.Device) time.Time {
	if t.After(at.Add(ahead)) && t.After(c.Now().Add(ahead)) {
		c.once("future "+d.ID, "a device tells of a session in the future; it is left out until then: check the device's clock",
			"device", c.label(d), "time", t)
		return time.Time{}
	}
	return t
}
