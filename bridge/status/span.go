package status

import (
	"fmt"
	"strings"
	"time"
)

// Span is a time span for people: "40s", "3m", "2h5m", "3 days".
func Span(d time.Duration) string {
	switch {
	case d >= 72*time.Hour:
		return fmt.Sprintf("%d days", d/(24*time.Hour))
	case d < time.Minute:
		return d.Round(time.Second).String()
	}
	return strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
}

// Midnight is when the day that a moment is in began in the location.
func Midnight(moment time.Time, location *time.Location) time.Time {
	year, month, day := moment.In(location).Date()
	return time.Date(year, month, day, 0, 0, 0, 0, location)
}
