package backup

import (
	"testing"
	"time"
)

// A device of the first edition goes on: what was known stays known, what went
// out stays out, and what is listed from before its first sight is old.
func TestNewJournal(t *testing.T) {
	first := at("08:00")
	old := parse(t, "Q 03:00-03:10\nF 09:00-09:10 Failed\nF 10:00-10:10")
	for i := range old { // the first edition had no numbers
		old[i].ID = []string{"", "41", "42"}[i]
	}
	old[0].Start, old[0].End = old[0].Start.AddDate(0, -1, 0), old[0].End.AddDate(0, -1, 0)
	j := NewJournal(device, first, "", bare(old), []string{"a", "b", "c"})
	unknown := parse(t, "F 02:00-02:10 Failed\nF 11:00-11:10 Warning")
	unknown[0].ID, unknown[1].ID = "40", "43"
	unknown[0].Start, unknown[0].End = unknown[0].Start.AddDate(0, 0, -2), unknown[0].End.AddDate(0, 0, -2)
	o := Look{Now: at("12:00"), Trusted: at("12:00"), LastRead: at("10:30"), Read: true, History: append(bare(old[1:]), bare(unknown)...)}
	j.Observe(o, Rules{Window: 10 * time.Minute, Patience: time.Hour})
	ready := j.Ready(o, Rules{Window: 10 * time.Minute})
	if len(ready) != 1 || len(ready[0].Sessions) != 1 || ready[0].Sessions[0].ID != "43" {
		t.Errorf("got %+v", ready)
	}
	// Of one that runs, what statistics alone knew is told anew; a tenant's numbers don't count up.
	running := parse(t, "F 06:00-\nF 07:00-\nS 07:00-07:10")
	running[0].ID, running[1].ID, running[2].ID = "", "42", ""
	for _, d := range []Device{{Type: Server}, {Type: Microsoft365}} {
		want := int64(42)
		if d.Type == Microsoft365 {
			want = 0
		}
		j := NewJournal(d, first, "", bare(running), []string{"", "", ""})
		if len(j.Sessions) != 2 || j.Sessions[0].ID != "42" || j.Seq != want {
			t.Errorf("%s: %d sessions up to %d, want 2 up to %d", d.Type, len(j.Sessions), j.Seq, want)
		}
	}
}
