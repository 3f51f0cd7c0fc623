package message

import (
	"fmt"
	"strings"
	"time"

	"covebridge/bridge/backup"
)

// difference says how far an amount is from the one before: "9.9 MB less"; ""
// where one of them is not known.
func difference(now, before int64, write func(int64) string) string {
	switch {
	case now < 0 || before < 0:
		return ""
	case now < before:
		return write(before-now) + " less"
	case now > before:
		return write(now-before) + " more"
	}
	return "as before"
}

// ordinal writes 1st, 2nd, 3rd, 11th.
func ordinal(n int) string {
	end := "th"
	if n/10%10 != 1 {
		switch n % 10 {
		case 1:
			end = "st"
		case 2:
			end = "nd"
		case 3:
			end = "rd"
		}
	}
	return fmt.Sprintf("%d%s", n, end)
}

// plural writes "1 error", "2,345 errors".
func plural(n int64, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return count(n) + " " + word + "s"
}

// ago is the age of a day as people say it, at a moment that the mail is about.
func (c clock) ago(t, at time.Time) string {
	midnight := func(t time.Time) time.Time {
		y, m, d := t.In(c.loc).Date()
		return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	}
	switch days := int(midnight(at).Sub(midnight(t)) / (24 * time.Hour)); {
	case days <= 0:
		return "the same day"
	case days == 1:
		return "the day before"
	default:
		return fmt.Sprintf("%d days before", days)
	}
}

// timeRange says from when to when, the day only where it is another than ref's.
func (c clock) timeRange(start, end, ref time.Time) string {
	at := func(t, ref time.Time) string {
		if t, ref := t.In(c.loc), ref.In(c.loc); t.Format(time.DateOnly) != ref.Format(time.DateOnly) {
			return t.Format("2 Jan 2006, 15:04")
		}
		return t.In(c.loc).Format("15:04")
	}
	switch {
	case start.IsZero() && end.IsZero():
		return ""
	case start.IsZero():
		return "until " + at(end, ref)
	case end.IsZero():
		return "since " + at(start, ref)
	}
	return at(start, ref) + "-" + at(end, start)
}

// runTime is the run's day and hours, for the headline.
func (c clock) runTime(r backup.Run) string {
	const layout = "2 Jan 2006, 15:04"
	at := func(t time.Time) string { return t.In(c.loc).Format(layout) }
	switch {
	case r.Start.IsZero() && r.End.IsZero():
		return ""
	case isSilence(r) && newest(r.Last) == nil:
		return "Noticed " + at(r.End)
	case isSilence(r):
		return "Last backup " + at(r.Start) + "; noticed " + at(r.End)
	case r.Kind == backup.Heartbeat:
		return at(r.End)
	case r.Kind == backup.Overdue:
		return "Since " + at(r.Start)
	case r.Start.IsZero():
		return at(r.End)
	}
	s := at(r.Start)
	if hours := c.timeRange(r.Start, r.End, r.Start); strings.Contains(hours, "-") && r.End.After(r.Start) {
		s = r.Start.In(c.loc).Format("2 Jan 2006, ") + hours + " (" + duration(r.Duration()) + ")"
	}
	return s
}

// isSilence tells whether the mail is about a device that finished no backup.
func isSilence(r backup.Run) bool { return r.Kind == backup.Silence || r.Kind == backup.LongSilence }
