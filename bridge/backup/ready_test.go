package backup

import (
	"testing"
	"time"
)

// A device's clock is ahead by as much as one of its sessions was seen before it is
// said to have begun, and by what that was told of late.
func TestClockLead(t *testing.T) {
	for _, c := range []struct {
		begun []string // as was seen, of sessions from 10:00 on
		want  time.Duration
	}{
		{nil, 0},
		{[]string{"10:00"}, 0},
		{[]string{"10:14", "16:00"}, 0},
		{[]string{"9:59"}, time.Minute + maxDelay},
		{[]string{"9:00", "4:00", "10:05"}, 6*time.Hour + maxDelay},
	} {
		j := Journal{Sessions: parse(t, "F 10:00-10:30")}
		j.Sessions[0].BegunAt = time.Time{} // of a ledger of the first edition
		for _, begun := range c.begun {
			k := parse(t, "F 10:00-10:30")[0]
			k.BegunAt = at(begun)
			j.Sessions = append(j.Sessions, k)
		}
		if got := j.clockLead(); got != c.want {
			t.Errorf("seen at %q: %v", c.begun, got)
		}
	}
}
