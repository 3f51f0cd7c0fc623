package main

import (
	"fmt"
	"time"

	"covebridge/bridge/config"
)

// moment reads the flag's date, time, or span before now, in mail.timezone;
// empty is no time.
func (a *app) moment(flag, s string) (time.Time, error) {
	t, err := moment(s, time.Now(), a.zone())
	if err != nil {
		return t, usageError{fmt.Errorf("%s: %w", flag, err)}
	}
	return t, nil
}

func moment(s string, now time.Time, zone *time.Location) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if d, err := config.ParseDuration(s); err == nil {
		return now.Add(-d), nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04", "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, s, zone); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time: use 2026-11-23, 2026-11-23T18:00 or a span such as 2d", s)
}
