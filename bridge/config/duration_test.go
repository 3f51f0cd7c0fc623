package config

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestParseDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"0": 0, "0d": 0, "0s": 0, "90s": 90 * time.Second, "15m": 15 * time.Minute, "24h": 24 * time.Hour, "2d": 48 * time.Hour,
		"1d12h": 36 * time.Hour, "1.5d": 36 * time.Hour, "1d1h1m1.5s": 25*time.Hour + time.Minute + 1500*time.Millisecond,
		"106751d": 106751 * day,
	} {
		if got, err := ParseDuration(text); err != nil || got != want {
			t.Errorf("%q: %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "d", "15", "15 minutes", "-1h", "-1d", "+1d", "1d-1h", "1d+1h", "1d2d", "1h1d", "2 d", "1m2", "106752d", "106751d24h", "9999999999999d", "NaNd"} {
		if got, err := ParseDuration(text); err == nil {
			t.Errorf("%q gave %v", text, got)
		}
	}
}

func TestFormatDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0", 90 * time.Second: "1m30s", 15 * time.Minute: "15m", time.Hour: "1h", 24 * time.Hour: "1d", 36 * time.Hour: "1d12h",
		10*day + time.Minute: "10d1m", time.Hour + time.Second: "1h0m1s", 100 * time.Millisecond: "100ms", 20 * time.Hour: "20h",
		10 * time.Minute: "10m", 30 * time.Second: "30s",
	} {
		if got := FormatDuration(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

func TestDurationsSurviveTheWay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := time.Duration(rapid.Int64Min(0).Draw(t, "duration"))
		if got, err := ParseDuration(FormatDuration(d)); err != nil || got != d {
			t.Fatalf("%v became %q became %v, %v", d, FormatDuration(d), got, err)
		}
	})
}
