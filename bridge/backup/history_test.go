package backup

import (
	"cmp"
	"testing"
	"time"
)

// A session that went out as ended, as statistics had told, and that the history
// goes on to call running: what was told is given back to the one whose end it was.
func TestRetractEnd(t *testing.T) {
	for _, c := range []struct {
		name, fresh string
		behind      bool // a newer session began
		retracted   bool // the end is the fresh one's
		runs        bool // the former runs on
	}{
		{"its own", "F 10:20-11:00", false, true, true},
		{"a minute off", "F 10:20-11:01", false, true, true},
		{"further off", "F 10:20-11:02", false, false, false},
		{"still running", "F 10:59-", false, false, false},
		{"another source's", "S 10:20-11:00", false, false, false},
		{"passed by a newer one", "F 10:20-11:00", true, true, false},
	} {
		k := parse(t, "F 10:00-11:00")[0]
		running := k.Session
		running.State, running.End, running.Told = Running, time.Time{}, time.Time{}
		k.Told, k.Run, k.Unconfirmed, k.BegunAt = k.End, "run", true, k.Start
		j := Journal{First: at("09:00"), Sessions: []Known{k}}
		if c.behind {
			next := parse(t, "F 11:10-11:20")[0]
			next.ID = "behind"
			j.Sessions = append(j.Sessions, next)
		}
		fresh := parse(t, c.fresh)[0].Session
		fresh.ID = "fresh"
		look := Look{Now: at("12:00"), Trusted: at("12:00"), LastRead: at("11:30"), Read: true, History: []Session{running, fresh}}
		j.Observe(look, Rules{Patience: time.Hour})
		i := j.find(fresh)
		if i < 0 {
			t.Fatalf("%s: not known", c.name)
		}
		if got := j.Sessions[i]; (got.Run == "run") != c.retracted || got.Told.Equal(k.Told) != c.retracted {
			t.Errorf("%s: the fresh one went out in %q, told %s", c.name, got.Run, got.Told)
		}
		if got := j.Sessions[j.find(running)]; (got.State == Running) != c.runs || (got.Run == "") != c.runs || got.Unconfirmed != !c.retracted {
			t.Errorf("%s: the former is %+v", c.name, got)
		}
	}
}

// One of which statistics told as ended, and which the history then calls restarted:
// what was told is given back, too. If it had gone out, it is over all the same.
func TestRetractEndOfRestarted(t *testing.T) {
	for _, c := range []struct {
		name, fresh, run string
		retracted        bool
	}{
		{"gone out", "F 11:00-11:40", "run", true},
		{"gone out, and it was none of these", "F 11:02-11:40", "run", false},
		{"not gone out", "F 11:00-11:40", "", true},
		{"not gone out, and it was none of these", "F 11:02-11:40", "", false},
	} {
		k := parse(t, "F 10:00-11:00")[0]
		k.Told, k.Run, k.Unconfirmed, k.BegunAt = k.End, c.run, true, k.Start
		j := Journal{First: at("09:00"), Sessions: []Known{k}}
		restarted, fresh := parse(t, "F 10:00-10:48 Restarted")[0].Session, parse(t, c.fresh)[0].Session
		restarted.ID, fresh.ID = k.ID, "fresh"
		j.Observe(Look{Now: at("12:00"), Trusted: at("12:00"), LastRead: at("11:30"), Read: true, History: []Session{restarted, fresh}}, Rules{Window: 2 * time.Hour})
		if f := j.Sessions[j.find(fresh)]; f.Told.Equal(k.Told) != c.retracted || (f.Run == "run") != (c.retracted && c.run != "") {
			t.Errorf("%s: the fresh one went out in %q, told %s", c.name, f.Run, f.Told)
		}
		got := j.Sessions[j.find(restarted)]
		if sent := c.run != ""; got.Unconfirmed || got.Estimated != sent || got.Run != c.run || (got.State == Restarted) == sent || got.End.Equal(restarted.End) == sent {
			t.Errorf("%s: the former is %+v", c.name, got)
		}
		if got.State == Restarted && c.retracted && (!got.Told.IsZero() || !got.EndedAt.Equal(got.End)) {
			t.Errorf("%s: the former was told %s, over at %s", c.name, got.Told, got.EndedAt)
		}
	}
}

// One that went out as restarted told no result: that of its own goes out, once the
// history tells it, and that it was another that was restarted.
func TestRetractRestarted(t *testing.T) {
	k := parse(t, "F 10:00-11:00 Restarted")[0]
	k.Told, k.Run, k.Unconfirmed, k.BegunAt = k.End, "run", true, k.Start
	j := Journal{First: at("09:00"), Sessions: []Known{k}}
	failed, fresh := parse(t, "F 10:00-10:48 Failed")[0].Session, parse(t, "F 10:50-11:00 Restarted")[0].Session
	failed.ID, fresh.ID = k.ID, "fresh"
	j.Observe(Look{Now: at("12:00"), Trusted: at("12:00"), LastRead: at("11:30"), Read: true, History: []Session{failed, fresh}}, Rules{Window: 2 * time.Hour})
	if f := j.Sessions[j.find(fresh)]; f.Run != "run" || !f.Told.Equal(k.Told) {
		t.Errorf("the fresh one went out in %q, told %s", f.Run, f.Told)
	}
	if got := j.Sessions[j.find(failed)]; got.Run != "" || got.Status != Failed || !got.Told.IsZero() || !got.End.Equal(failed.End) {
		t.Errorf("the former is %+v", got)
	}
}

// Where the history gives no ids, sessions are told apart by their starts.
func TestNoIDs(t *testing.T) {
	j := Journal{First: at("09:00")}
	first, second := parse(t, "F 10:00-10:30")[0].Session, parse(t, "F 11:00-11:30")[0].Session
	first.ID, second.ID = "", ""
	for range 2 {
		j.Observe(Look{Now: at("12:00"), Trusted: at("12:00"), LastRead: at("11:00"), Read: true, History: []Session{first, second}}, Rules{})
	}
	if len(j.Sessions) != 2 || j.Sessions[0].ID == j.Sessions[1].ID || !j.Sessions[0].listed() {
		t.Errorf("got %+v", j.Sessions)
	}
}

// What the history lists for the first time, or as ended, may be what statistics
// alone told of before.
func TestMatchUnlisted(t *testing.T) {
	for _, c := range []struct {
		name           string
		old            bool   // what was told had ended before the device was first seen
		known          string // when the end of what is listed was told already
		rival          string // another end that waits, of this data source
		listed         string
		ended, matched bool
	}{
		{name: "fresh", matched: true},
		{name: "begun as the other ended", listed: "F 10:31-11:01", matched: true},
		{name: "ended when the other had long been told of", listed: "F 10:31-11:02"},
		{name: "ended now", ended: true, matched: true},
		{name: "fresh, and nothing to tell", old: true, matched: true},
		{name: "ended now, so that it can't be the old one", old: true, ended: true},
		{name: "nearer to another", rival: "F"},
		{name: "nearer to another source's", rival: "S", matched: true},
		{name: "another end was its own", known: "10:30"},
	} {
		told := parse(t, "F 10:00-10:31")[0]
		told.ID, told.Told, told.Run, told.Old, told.ToldAt = "", told.End, "run", c.old, at("10:51")
		j := Journal{Sessions: []Known{told}}
		if c.rival != "" {
			near := parse(t, c.rival+" 10:00-10:30")[0]
			near.Told = near.End
			j.Pending = []Pending{{Known: near}}
		}
		listed := parse(t, cmp.Or(c.listed, "F 10:00-10:30"))
		if c.known != "" {
			listed[0].Told = at(c.known)
		}
		var others []Known
		if c.ended {
			others = j.matchUnlisted(nil, listed, Look{})
		} else {
			others = j.matchUnlisted(listed, nil, Look{})
		}
		if got := j.Sessions[0]; (len(others) == 0) != c.matched || (got.ID == listed[0].ID) != c.matched || got.Estimated != c.matched || got.ToldAt.IsZero() != c.matched {
			t.Errorf("%s: %+v, others %d", c.name, got, len(others))
		}
	}
}

// What statistics had told of as over is none that ended later.
func TestEndedAfter(t *testing.T) {
	for _, c := range []struct {
		name, told, toldAt, listed string
		ahead, aheadTold           time.Duration // its device's clock
		want                       bool
	}{
		{name: "later", told: "F 10:00-10:30", toldAt: "10:35", listed: "F 10:33-11:00", want: true},
		{name: "as far apart as the two may be", told: "F 10:00-10:30", toldAt: "10:35", listed: "F 10:33-10:45"},
		{name: "the same", told: "F 10:00-10:30", toldAt: "10:35", listed: "F 10:00-10:30"},
		{name: "by a clock that is off", told: "F 10:00-10:30", toldAt: "10:35", listed: "F 10:33-11:00", ahead: time.Minute},
		{name: "by a clock that is seconds ahead", told: "F 10:00-10:30", toldAt: "10:35", listed: "F 10:33-11:00", ahead: 59 * time.Second, want: true},
		{name: "told by a clock that is off", told: "F 10:00-10:30", toldAt: "10:35", listed: "F 10:33-11:00", aheadTold: time.Minute},
		{name: "told nobody knows when", told: "F 10:00-10:30", listed: "F 10:33-11:00"},
	} {
		told, listed := parse(t, c.told)[0], parse(t, c.listed)[0]
		if c.toldAt != "" {
			told.ToldAt = at(c.toldAt)
		}
		listed.EndedAt, told.EndedAt = listed.EndedAt.Add(-c.ahead), told.EndedAt.Add(-c.aheadTold)
		if got := listed.endedAfter(told, maxApart); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// What may be another told end are those that wait, and those told now: of the
// same data source, over, and not dealt with.
func TestUnmatchedEnds(t *testing.T) {
	told := func(line string) Session {
		s := parse(t, line)[0].Session
		s.ID, s.Told = "", s.End
		return s
	}
	mine, another, runs, dealt := told("F 10:00-10:10"), told("S 10:00-10:20"), told("F 10:00-"), told("F 09:00-09:10")
	waits, waitsToo := told("F 08:00-08:10"), told("S 08:00-08:10")
	var j Journal
	j.acknowledge(dealt)
	j.Pending = []Pending{{Known: Known{Session: waits}}, {Known: Known{Session: waitsToo}}}
	got := j.unmatchedEnds(Look{Snapshot: &Snapshot{Sessions: []Session{mine, another, runs, dealt}}}, "F")
	if len(got) != 2 || !got[0].Told.Equal(waits.Told) || !got[1].Told.Equal(mine.Told) {
		t.Errorf("got %+v", got)
	}
}
