package backup

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestWithRuns(t *testing.T) {
	past := func(start string, s Status) Past { return Past{Start: at(start), Status: s} }
	today, tomorrow := monday.Format(time.DateOnly), monday.Add(day).Format(time.DateOnly)
	for _, c := range []struct {
		name string
		day  Day
		past []Past
		want Day
	}{
		{"none", Day{Date: today}, nil, Day{Date: today}},
		{"another day's", Day{Date: today}, []Past{{Start: monday.Add(day), Status: Failed}}, Day{Date: today}},
		{"no word", Day{Date: today}, []Past{past("10:00", Success)}, Day{Date: today, Word: "Success"}},
		{"worse", Day{Date: today, Word: "Completed"}, []Past{past("10:00", Warning)}, Day{Date: today, Word: "Warning", Status: Warning}},
		{"as bad", Day{Date: today, Word: "Aborted", Status: Failed}, []Past{past("10:00", Failed)}, Day{Date: today, Word: "Aborted", Status: Failed}},
		{"better", Day{Date: today, Word: "Failed", Status: Failed}, []Past{past("10:00", Success)}, Day{Date: today, Word: "Failed", Status: Failed}},
		{"the worst of both", Day{Date: today}, []Past{past("10:00", Failed), past("12:00", Success)}, Day{Date: today, Word: "Failed", Status: Failed}},
		{"the zone's day", Day{Date: tomorrow}, []Past{past("23:30", Warning)}, Day{Date: tomorrow, Word: "Warning", Status: Warning}},
	} {
		zone := time.UTC
		if c.name == "the zone's day" {
			zone = time.FixedZone("CET", 3600)
		}
		given := []Day{c.day}
		if diff := cmp.Diff([]Day{c.want}, WithRuns(given, c.past, zone)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		if given[0] != c.day {
			t.Errorf("%s: changed what it was given: %v", c.name, given[0])
		}
	}
}
