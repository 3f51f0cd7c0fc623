package message

import (
	"testing"
	"time"
)

func TestSize(t *testing.T) {
	for n, want := range map[int64]string{
		-1: "-", 0: "0 B", 999: "999 B", 1000: "1.0 kB", 999_949: "999.9 kB", 999_950: "1.0 MB",
		12_345_678_901: "12.3 GB", 1<<63 - 1: "9.2 EB",
	} {
		if got := size(n); got != want {
			t.Errorf("size(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestCount(t *testing.T) {
	for n, want := range map[int64]string{-1: "-", 0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		if got := count(n); got != want {
			t.Errorf("count(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestAmount(t *testing.T) {
	for _, c := range []struct {
		bytes, before, items int64
		want                 string
	}{
		{12_300_000_000, 11_100_000_000, 1234, "12.3 GB in 1,234 items, 1.2 GB more"},
		{11_100_000_000, 12_300_000_000, -1, "11.1 GB, 1.2 GB less"},
		{5, 5, -1, "5 B, as before"},
		{5, -1, -1, "5 B"},
		{-1, 5, 42, "42 items"},
		{-1, -1, -1, ""},
		{0, 1<<63 - 1, -1, "0 B, 9.2 EB less"},
	} {
		if got := amount(c.bytes, c.before, c.items); got != c.want {
			t.Errorf("amount(%d, %d, %d) = %q, want %q", c.bytes, c.before, c.items, got, c.want)
		}
	}
}

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0s", 0: "0s", 59 * time.Second: "59s", 62 * time.Second: "1m 02s",
		time.Hour + 2*time.Minute + 3*time.Second: "1h 02m 03s", 100 * time.Hour: "100h 00m 00s",
	} {
		if got := duration(d); got != want {
			t.Errorf("duration(%v) = %q, want %q", d, got, want)
		}
	}
	for d, want := range map[time.Duration]string{48 * time.Hour: "48h", 90 * time.Minute: "1h 30m", 150 * time.Hour: "6 days"} {
		if got := span(d); got != want {
			t.Errorf("span(%v) = %q, want %q", d, got, want)
		}
	}
}
