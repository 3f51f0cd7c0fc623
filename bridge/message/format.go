package message

import (
	"fmt"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"covebridge/bridge/backup"
)

// none stands where a value is not known.
const none = "-"

// size writes bytes for people, in decimal units as disks are sold: 1 kB is
// 1,000 bytes, 1 GB 1,000,000,000.
func size(n int64) string {
	if n < 0 {
		return none
	}
	units := []string{"B", "kB", "MB", "GB", "TB", "PB", "EB"}
	v, u := float64(n), 0
	for v >= 999.95 && u < len(units)-1 { // what would round to 1000.0 is 1.0 of the next
		v /= 1000
		u++
	}
	if u == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", v, units[u])
}

// count writes a number with its thousands apart.
func count(n int64) string {
	if n < 0 {
		return none
	}
	return humanize.Comma(n)
}

// duration writes a span as 1h 02m 03s, without the parts that are zero in front.
func duration(d time.Duration) string {
	d = max(d, 0).Round(time.Second)
	h, m, s := int64(d/time.Hour), int64(d/time.Minute)%60, int64(d/time.Second)%60
	switch {
	case h > 0:
		return fmt.Sprintf("%dh %02dm %02ds", h, m, s)
	case m > 0:
		return fmt.Sprintf("%dm %02ds", m, s)
	}
	return fmt.Sprintf("%ds", s)
}

// span is a duration as a sentence has it: "48h", "50h 12m 00s", "6 days".
func span(d time.Duration) string {
	if d >= 72*time.Hour {
		return fmt.Sprintf("%d days", d/(24*time.Hour))
	}
	s := strings.TrimSuffix(duration(d), " 00s")
	return strings.TrimSuffix(s, " 00m")
}

// clock writes times in one time zone.
type clock struct{ loc *time.Location }

// full has the offset: "2026-11-24 02:00:13 +0100".
func (c clock) full(t time.Time) string {
	if t.IsZero() {
		return none
	}
	return t.In(c.loc).Format("2006-01-02 15:04:05 -0700")
}

// near leaves out the date where it is the same as ref's.
func (c clock) near(t, ref time.Time, layout string) string {
	t, ref = t.In(c.loc), ref.In(c.loc)
	if t.Format(time.DateOnly) == ref.Format(time.DateOnly) {
		return t.Format(layout)
	}
	return t.Format("2006-01-02 " + layout)
}

// session says when a session ran; empty where that is not known.
func (c clock) session(s backup.Session) string {
	about := ""
	if s.Approx {
		about = "about "
	}
	switch {
	case s.Start.IsZero() && s.End.IsZero():
		return ""
	case s.Start.IsZero():
		return "ended " + s.End.In(c.loc).Format(time.DateTime)
	case s.End.IsZero():
		return "since " + about + s.Start.In(c.loc).Format(time.DateTime)
	}
	return fmt.Sprintf("%s%s to %s (%s)", about, s.Start.In(c.loc).Format(time.DateTime),
		c.near(s.End, s.Start, time.TimeOnly), duration(s.End.Sub(s.Start)))
}
