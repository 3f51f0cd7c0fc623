package cove

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"covebridge/bridge/backup"
)

// session makes a session of a history's row, with whichever spelling of a
// field it has. It tells false where the row is no backup. Start is zero
// where the row has no times.
func (c *Client) session(r row, p sourceSet) (s backup.Session, ok bool) {
	start, end := r.get("starttime", "backupstarttime").time(), r.get("endtime", "backupendtime").time()
	if took := r.get("duration").seconds(); end.IsZero() && !start.IsZero() && took > 0 {
		end = start.Add(took)
	}
	s = backup.Session{
		ID: r.get("id", "sessionid").text, Source: p.dataSource(r["pluginid"], r["plugin"], r["datasourcetype"], r["datasource"]),
		Start: start, End: end,
		SelectedCount: r.get("selectedcount").count(), SelectedBytes: r.get("selectedsize").count(),
		ProcessedCount: r.get("processedcount").count(), ProcessedBytes: r.get("processedsize").count(),
		SentBytes: r.get("sentsize").count(), ErrorCount: max(r.get("errorscount").count(), 0),
	}
	st := r.get("status").status()
	if st.none() && s.ID == "" || isRestore(r.get("type")) {
		return s, false
	}
	completed := st.number == stCompleted || st.number == stCompletedWithErrors
	switch {
	case end.IsZero() && (st.none() || completed && !start.IsZero()):
		// It can't have completed without an end: it runs, and its row will tell
		// the rest under the same id.
		st = status{number: stInProcess}
	case st.none():
		st = status{number: stUnknown}
	case st.number == stCompleted && s.ErrorCount > 0:
		// The node has one word for both (Cove API document, QuerySessions).
		st = status{number: stCompletedWithErrors}
	}
	if s.End.Before(start) {
		s.End = start
	}
	return c.withStatus(s, st), true
}

// isRestore tells whether a session's type is another than backup: a word, or a
// bit mask with 1 for backup.
func isRestore(v value) bool {
	if n, ok := v.number(); ok {
		return n&1 == 0
	}
	word := strings.ToLower(v.text)
	return strings.Contains(word, "restore") || strings.Contains(word, "recover")
}

// estimateTimes gives a session without times one: that of its newest error, which is
// the best there is, or else that of the session before it, for ids count up.
// Without either it has none and can't be shown.
func (c *Client) estimateTimes(ctx context.Context, d backup.Device, s backup.Session, others []backup.Session) (backup.Session, error) {
	key := d.ID + " " + s.ID
	if t, ok := c.estimated.Load(key); ok {
		s.Start = t.(time.Time)
	} else {
		var errs []backup.Error
		var err error
		if d.Type != backup.Microsoft365 {
			errs, err = c.nodeErrors(ctx, d, s)
		}
		if ctx.Err() != nil {
			return s, ctx.Err()
		}
		for _, e := range errs {
			if e.Time.After(s.Start) {
				s.Start = e.Time
			}
		}
		if s.Start.IsZero() {
			s.Start = startOfPrevious(s, others)
		}
		// Without the errors it is a guess for now, and no reason to give up all
		// the other sessions.
		if err == nil && !s.Start.IsZero() {
			c.estimated.Store(key, s.Start)
		}
	}
	s.Approx = true
	if s.State != backup.Running {
		s.End = s.Start
	}
	return s, nil
}

// startOfPrevious is when the newest session with a lower id started.
func startOfPrevious(s backup.Session, others []backup.Session) time.Time {
	id, err := strconv.ParseInt(s.ID, 10, 64)
	if err != nil {
		return time.Time{}
	}
	lower := func(o backup.Session) int64 {
		if n, err := strconv.ParseInt(o.ID, 10, 64); err == nil && n < id {
			return n
		}
		return -1
	}
	if len(others) == 0 {
		return time.Time{}
	}
	newest := slices.MaxFunc(others, func(a, b backup.Session) int { return cmp.Compare(lower(a), lower(b)) })
	if lower(newest) < 0 {
		return time.Time{}
	}
	return newest.Start
}
