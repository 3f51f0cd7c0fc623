package config

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
)

const day = 24 * time.Hour

var errDuration = errors.New("a duration such as 15m, 24h or 2d is expected")

// ParseDuration reads a duration as Go writes it, with "d" for days before the
// other units: 90s, 15m, 1d12h, 2d. 0 needs no unit; negative ones are refused.
func ParseDuration(s string) (time.Duration, error) {
	number, rest, inDays := strings.Cut(s, "d")
	if !inDays {
		d, err := time.ParseDuration(s)
		if err != nil || d < 0 {
			return 0, errDuration
		}
		return d, nil
	}
	// The same number in hours, so that fractions and errors are time's.
	hours, err := time.ParseDuration(number + "h")
	if err != nil || strings.Trim(number, "0123456789.") != "" || hours > math.MaxInt64/24 {
		return 0, errDuration
	}
	d := 24 * hours
	if rest != "" {
		more, err := time.ParseDuration(rest)
		if err != nil || more < 0 || strings.HasPrefix(rest, "+") || more > math.MaxInt64-d {
			return 0, errDuration
		}
		d += more
	}
	return d, nil
}

// FormatDuration writes a duration as short as ParseDuration reads it: 2d, 1h30m, 0.
func FormatDuration(d time.Duration) string {
	var b strings.Builder
	if d < 0 {
		return d.String()
	}
	if d >= day {
		fmt.Fprintf(&b, "%dd", d/day)
		d %= day
	}
	if d > 0 {
		s := d.String()
		if strings.HasSuffix(s, "m0s") {
			s = strings.TrimSuffix(s, "0s")
		}
		if strings.HasSuffix(s, "h0m") {
			s = strings.TrimSuffix(s, "0m")
		}
		b.WriteString(s)
	}
	if b.Len() == 0 {
		return "0"
	}
	return b.String()
}
