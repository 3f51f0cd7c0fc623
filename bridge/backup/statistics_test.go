package backup

import (
	"slices"
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

// The same, for so long that the session itself is remembered no more.
func TestToldAgainAfterDays(t *testing.T) {
	var j Journal
	source := DataSource{Key: "D19", Name: "Exchange"}
	ended := func(start time.Time, state State) Session {
		return Session{Source: source, State: state, Status: Success, Start: start, End: start.Add(5 * time.Minute), Told: start.Add(5 * time.Minute)}
	}
	completed, times := ended(monday, Ended), 0
	look := func(now time.Time, sessions ...Session) {
		j.Observe(Look{Now: now, Trusted: now, LastRead: now.Add(-time.Hour), Snapshot: &Snapshot{Sessions: sessions}, NoHistory: "away"}, Rules{Patience: time.Hour})
		for i := range j.Sessions {
			k := &j.Sessions[i]
			if k.Run == "" && k.Told.Equal(completed.Told) {
				times++
			}
			k.Run = "sent"
		}
	}
	look(monday.Add(time.Hour), completed)
	for n := range 40 * 4 {
		start := monday.Add(time.Duration(n+1) * 6 * time.Hour)
		look(start.Add(time.Minute), completed, Session{Source: source, State: Running, Start: start})
		look(start.Add(time.Hour), ended(start, Restarted))
	}
	if times != 1 || slices.ContainsFunc(j.Sessions, func(k Known) bool { return k.Told.Equal(completed.Told) }) {
		t.Errorf("taken for new %d times, want once; remembered: %+v", times, j.Sessions)
	}
}

// The end that statistics told goes to the listed session that is near, unless one
// that waits as well is nearer.
func TestNearestUncontested(t *testing.T) {
	pending := func(source, told, since string) Pending {
		return Pending{Known: Known{Session: Session{Source: DataSource{Key: source}, State: Ended, Told: at(told), End: at(told), Start: at(told), Approx: true}}, Since: at(since)}
	}
	for _, c := range []struct {
		name, sessions string
		told           map[int]string // of those, what statistics told before
		rivals         []Pending
		want           int
	}{
		{"near", "F 10:00-10:30", nil, nil, 0},
		{"too far", "F 10:00-10:35", nil, nil, -1},
		{"as late as the one before", "F 08:00-08:30\nF 10:00-10:26", map[int]string{0: "08:34"}, nil, 1},
		{"near, though others were late", "F 10:00-10:30\nF 11:00-11:30", map[int]string{1: "11:38"}, nil, 0},
		{"another is nearer", "F 10:00-10:29", nil, []Pending{pending("F", "10:29", "10:40")}, -1},
		{"another is as near", "F 10:00-10:29", nil, []Pending{pending("F", "10:28", "10:40")}, 0},
		{"another source's is nearer", "F 10:00-10:29", nil, []Pending{pending("S", "10:29", "10:40")}, 0},
		{"one that was told later is nearer", "F 10:00-10:29", nil, []Pending{pending("F", "10:29", "11:00")}, 0},
		{"one that was told later is nearer, for it ended later", "F 10:31-11:00", nil, []Pending{pending("F", "10:31", "11:10")}, -1},
	} {
		j := Journal{Sessions: parse(t, c.sessions)}
		for i, told := range c.told {
			j.Sessions[i].Told = at(told)
		}
		told := pending("F", "10:30", "10:40")
		j.Pending = append([]Pending{told}, c.rivals...)
		if got := j.nearestUncontested(told, readingPenalty-1); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

// An end that waits keeps the listed session free that is nearer to it, but none that
// had been over before it was told of.
func TestKeptFree(t *testing.T) {
	for _, c := range []struct {
		name, since, ended string // when the other was told of, and the session was over
		want               bool
	}{
		{"told of later", "11:45", "10:30", true},
		{"told of later, of one that was over just as this was told of", "11:45", "10:45", true},
		{"told of later, of one that ran on", "11:45", "10:46", false},
		{"told of at the same time", "10:45", "10:30", false},
	} {
		j := Journal{Sessions: parse(t, "F 08:00-08:30\nF 10:00-10:30")}
		j.Sessions[0].Told = at("08:30") // ends are told, so it seems
		j.Sessions[1].EndedAt = at(c.ended)
		told := told(j.Sessions[1:], 0, true)[0]
		next := Session{Source: told.Source, State: Ended, Told: at("10:31"), Start: at("10:31"), End: at("10:31"), Approx: true}
		j.Pending = []Pending{{Known: Known{Session: told}, Since: at("10:45")}, {Known: Known{Session: next}, Since: at(c.since)}}
		if got := j.matchAround(j.Pending[0]); got != c.want || j.Sessions[1].Told.Equal(told.Told) != c.want {
			t.Errorf("%s: %v, told %s", c.name, got, j.Sessions[1].Told)
		}
	}
}

// What ran on long after an end was told is not the session that ended, however near it began.
func TestNearestSessionWhileItRan(t *testing.T) {
	for _, c := range []struct {
		toldAt string
		want   int
	}{{"10:49", -1}, {"10:50", 0}} {
		j := Journal{Sessions: parse(t, "F 10:30-11:00")}
		told := Known{Session: Session{Source: DataSource{Key: "F"}, State: Ended, Told: at("10:30"), End: at("10:30"), Start: at("10:30"), Approx: true}, EndedAt: at("10:30"), ToldAt: at(c.toldAt)}
		if got := j.nearestSession(told, exactMatch); got != c.want {
			t.Errorf("told at %s: %d, want %d", c.toldAt, got, c.want)
		}
	}
}

// What completed minutes before, with another result, is not the session that ended.
func TestNearestSessionOfAnotherResult(t *testing.T) {
	for _, c := range []struct {
		told string
		want int
	}{
		{"F 10:01-10:08", 0},
		{"F 10:01-10:08 Warning", -1},
		{"F 10:00-10:00 Warning", 0}, // to the minute
	} {
		j := Journal{Sessions: parse(t, "F 10:00-10:00")}
		if got := j.nearestSession(Known{Session: told(parse(t, c.told), 0, false)[0]}, maxApart); got != c.want {
			t.Errorf("%s: %d, want %d", c.told, got, c.want)
		}
	}
}

// An end that fits in order is another's all the same, if that waits and is nearer: one
// that was told while the session ran.
func TestMatchAroundWhileItRan(t *testing.T) {
	for _, c := range []struct {
		toldAt string
		want   bool
	}{{"10:59", false}, {"11:05", true}} {
		end := func(told, toldAt string) Pending {
			k := Known{Session: Session{Source: DataSource{Key: "F"}, State: Ended, Told: at(told), End: at(told), Start: at(told), Approx: true}, EndedAt: at(told), ToldAt: at(toldAt)}
			return Pending{Known: k, Since: at(toldAt)}
		}
		told := end("10:31", c.toldAt)
		j := Journal{Sessions: parse(t, "F 10:30-11:00"), Pending: []Pending{told, end("11:02", "11:15")}}
		j.Sessions[0].ID = "1"
		if got := j.matchAround(told); got != c.want || j.Sessions[0].Told.IsZero() == c.want {
			t.Errorf("told at %s: %v", c.toldAt, got)
		}
	}
}
