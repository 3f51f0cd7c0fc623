package backup

import (
	"slices"
	"testing"
	"time"
)

// A backfill offers what did not go out yet, within its limits, and changes
// nothing; what of it went into the outbox is not offered again.
func TestSpan(t *testing.T) {
	sessions := parse(t, "F 01:00-01:10 Failed\nF 02:00-02:10\nS 02:05-02:20 Warning\nF 03:00-03:10\nF 04:00-\nS 05:00-05:10")
	j := NewJournal(device, at("06:00"), "", bare(sessions[3:4]), []string{"sent"})
	o := Look{Now: at("12:00"), Trusted: at("12:00")}
	span := func(since, until time.Time) (all []Candidate) { return j.Span(bare(sessions), rules, since, until, o) }
	ends := func(runs []Candidate) (all []string) {
		for _, c := range runs {
			all = append(all, hours(c.End))
			if !c.Doubt || c.Old {
				t.Errorf("the run of %s is old, or not in doubt", hours(c.End))
			}
		}
		return all
	}
	// The one at 5 belongs to a run that goes on, and the one at 3 went out.
	for _, c := range []struct {
		since, until time.Time
		want         []string
	}{
		{at("00:00"), time.Time{}, []string{"01:10", "02:20"}},
		{at("01:10"), at("02:20"), []string{"01:10"}},
		{at("01:11"), at("02:21"), []string{"02:20"}},
	} {
		if got := ends(span(c.since, c.until)); !slices.Equal(got, c.want) {
			t.Errorf("%s to %s: got %q, want %q", hours(c.since), hours(c.until), got, c.want)
		}
	}
	if len(j.Sessions) != 1 {
		t.Errorf("the journal holds %d sessions, and held 1", len(j.Sessions))
	}
}

// A session that the journal remembers as open, or as old, has gone out once its
// run of a backfill did; one of another data source or another start has not.
func TestSentLater(t *testing.T) {
	j := Journal{Sessions: parse(t, "F 01:00-01:10\nS 01:00-01:10\nF 02:00-02:10\nF 03:00-03:10 @before\nF 04:00-04:10\nQ 04:20-04:30 Restarted\nF 06:00-06:10")}
	j.Sessions[4].ID = "" // from statistics alone
	run := parse(t, "F 01:00-01:10\nF 03:00-03:10\nF 04:00-04:10\nF 02:00-02:01")
	for i, id := range []string{"1", "4", "77", "3"} {
		run[i].ID = id
	}
	run[3].Start = at("02:05") // known by its number
	c := Candidate{Run: Run{ID: "later", Sessions: bare(run), Replaced: []Session{j.Sessions[5].Session}}}
	j.SentLater(c)
	var got []string
	for _, k := range j.Sessions {
		got = append(got, k.Run)
	}
	if want := []string{"later", "", "later", "before", "later", "later", ""}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
