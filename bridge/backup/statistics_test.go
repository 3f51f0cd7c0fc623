package backup

import (
	"testing"
	"time"
)

// Statistics tell of the last session that was completed while a newer one runs,
// however many have been restarted since: that is no new one.
func TestToldAgain(t *testing.T) {
	var j Journal
	source := DataSource{Key: "D19", Name: "Exchange"}
	ended := func(start string, state State) Session {
		return Session{Source: source, State: state, Status: Success, Start: at(start), End: at(start).Add(5 * time.Minute), Told: at(start).Add(5 * time.Minute)}
	}
	look := func(now string, sessions ...Session) {
		j.Observe(Look{Now: at(now), Trusted: at(now), LastRead: at(now).Add(-time.Hour), Snapshot: &Snapshot{Sessions: sessions}, NoHistory: "away"}, Rules{Patience: time.Hour})
	}
	completed := ended("09:00", Ended)
	look("09:30", completed)
	for _, start := range []string{"10:00", "11:00", "12:00", "13:00", "14:00", "15:00"} {
		look(start[:2]+":30", ended(start, Restarted))
	}
	look("16:30", completed, Session{Source: source, State: Running, Start: at("16:10")})
	n := len(j.Pending)
	for _, k := range j.Sessions {
		if k.Told.Equal(completed.Told) {
			n++
		}
	}
	if n != 1 {
		t.Errorf("known %d times: %+v, pending %+v", n, j.Sessions, j.Pending)
	}
}
