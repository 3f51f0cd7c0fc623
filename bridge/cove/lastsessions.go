package cove

import (
	"time"

	"covebridge/bridge/backup"
)

// sourceStats is what statistics tell of one data source. F17 and F18 are the status
// and the end of the last session that completed; F00 is the last status, F12
// the last duration and F15 the last time. Whether F15 is a start or an end is
// not settled, so it counts as a start only where it is later than F18, which
// an end of the same session can't be.
type sourceStats struct {
	last, completed         status         // F00, F17
	lastTime, completedTime time.Time      // F15, F18
	duration                time.Duration  // F12
	counted                 backup.Session // with the counts
	uncounted               backup.Session // without
}

// lastSessions gives the last session of a data source and, where the last one
// has not completed, the one that completed before.
func (c *Client) lastSessions(r deviceRow, src source, d backup.Device, at time.Time) []backup.Session {
	get := func(f field) value { return r.columns[column(src, f)] }
	count := func(f field) int64 { return get(f).count() }
	t := sourceStats{
		last: get(fStatus).status(), completed: get(fDoneStatus).status(), duration: get(fDuration).seconds(),
		lastTime: c.plausibleTime(get(fTime).time(), at, d), completedTime: c.plausibleTime(get(fDoneTime).time(), at, d),
		counted: backup.Session{
			Source:        src.dataSource(),
			SelectedCount: count(fSelectedCount), SelectedBytes: count(fSelectedBytes),
			ProcessedCount: count(fProcessedCount), ProcessedBytes: count(fProcessedBytes),
			SentBytes: count(fSentBytes), ErrorCount: max(count(fErrors), 0),
		},
		uncounted: backup.Session{
			Source: src.dataSource(), SelectedCount: backup.Unknown, SelectedBytes: backup.Unknown,
			ProcessedCount: backup.Unknown, ProcessedBytes: backup.Unknown, SentBytes: backup.Unknown,
		},
	}
	if t.completed.running() {
		t.completed = status{}
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
func (c *Client) running(t sourceStats, d backup.Device, at time.Time) (all []backup.Session) {
	runs, before := t.uncounted, t.counted
	if known := t.lastTime.After(t.completedTime); known && t.duration > 0 && (at.Sub(t.lastTime)-t.duration).Abs() <= 5*time.Minute {
		runs, before, t.duration = t.counted, t.uncounted, 0
	}
	if !t.completedTime.IsZero() && !t.completed.none() {
		before.Start, before.Approx, before.End, before.Told = t.completedTime.Add(-t.duration), true, t.completedTime, t.completedTime
		all = append(all, c.withStatus(before, t.completed))
	}
	if runs.Start = t.lastTime; !t.lastTime.After(t.completedTime) {
		runs.Start, runs.Approx = t.completedTime, true
	}
	if runs.Start.IsZero() {
		runs.Start = d.Created
	}
	if !runs.Start.IsZero() {
		all = append(all, c.withStatus(runs, t.last))
	}
	return all
}

// ended gives the last session, which is over, and the one that completed
// before it where it did not complete itself.
func (c *Client) ended(t sourceStats, at time.Time) (all []backup.Session) {
	switch {
	case t.last.none():
		t.last = t.completed
	case t.last.number == stRestarted && !t.completed.none() && !t.lastTime.After(t.completedTime):
		// A restarted session never completed, so that F18 is another one's, and
		// of its own no time is told. The next one takes its place anyway.
		t.last = t.completed
	}
	s := t.counted
	switch {
	case t.last.none():
		return nil
	case !t.completedTime.IsZero() && (t.completed == t.last || t.completed.none() || !t.lastTime.After(t.completedTime)):
		s.Start, s.End, s.Told = t.completedTime.Add(-t.duration), t.completedTime, t.completedTime
		return []backup.Session{c.withStatus(s, t.last)}
	case t.lastTime.IsZero():
		return nil // a status without a time: nothing can be made of it
	}
	if !t.completedTime.IsZero() && !t.completed.none() {
		before := t.uncounted // whatever else is told is of the last one
		before.Start, before.Approx, before.End, before.Told = t.completedTime, true, t.completedTime, t.completedTime
		all = append(all, c.withStatus(before, t.completed))
	}
	// Told must not change from poll to poll as End may, and the duration may be
	// that of the one before.
	s.Start, s.Approx, s.End, s.Told = t.lastTime, len(all) > 0, t.lastTime, t.lastTime
	if stop := t.lastTime.Add(t.duration); !stop.After(at) {
		s.End = stop
	}
	return append(all, c.withStatus(s, t.last))
}

// withStatus fills in what follows from the status.
func (c *Client) withStatus(s backup.Session, st status) backup.Session {
	s.State, s.Result, s.Status = st.state(), st.String(), c.outcome(st, s.ErrorCount)
	if s.State == backup.Running {
		s.End, s.Told = time.Time{}, time.Time{}
	}
	return s
}

// plausibleTime gives the time, or none if it lies more than a day in the future by
// Cove's clock and by ours: a
// session of tomorrow would keep its run from ever being ready, and one whose
// time was bent would be another session at every poll. It is shown once its
// time has come, and said once.
func (c *Client) plausibleTime(t, at time.Time, d backup.Device) time.Time {
	if t.After(at.Add(maxAhead)) && t.After(c.Now().Add(maxAhead)) {
		c.noticeOnce("future "+d.ID, "a device tells of a session in the future; it is left out until then: check the device's clock",
			"device", c.label(d), "time", t)
		return time.Time{}
	}
	return t
}
