package backup

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

func (s *script) in(what string, now time.Time) (p spell, ok bool) {
	for _, p := range s.spells {
		if p.what == what && !now.Before(p.from) && now.Before(p.to) {
			return p, true
		}
	}
	return p, false
}

// as gives the session as it stands then.
func (x scripted) as(now time.Time) Session {
	if x.End.IsZero() || x.done.After(now) {
		x.State, x.Status, x.End = Running, Success, time.Time{}
	}
	return x.Session
}

// history lists what it has of the part that is wanted, newest first.
func (s *script) history(r Reading, now time.Time) (list []Session) {
	for _, x := range slices.Backward(s.sessions) {
		wanted := !x.Start.Before(r.Since) || slices.ContainsFunc(r.Single, x.Start.Equal)
		if !x.unlisted && !x.begun.After(now) && !x.listed.After(now) && wanted {
			if x.final.After(now) {
				x.End = time.Time{}
			}
			list = append(list, x.as(now))
		}
	}
	return list
}

// statistics tell of the newest session of each data source, and while it
// runs, of the one before.
func (s *script) statistics(now time.Time) (list []Session) {
	last := map[string]int{}
	for _, x := range slices.Backward(s.sessions) {
		if x.begun.After(now) || last[x.Source.Key] == 2 {
			continue
		}
		y := x.as(now)
		y.ID, y.Seq = "", 0
		if last[y.Source.Key] = 2; y.State == Running {
			last[y.Source.Key] = 1
			y.Approx = s.vague
		} else {
			y.Told = y.End
			if s.starts { // and the end is made of the start
				y.Told, y.End, y.Start = y.Start, y.Start, y.Start.Add(-y.End.Sub(y.Start))
			}
			if !x.told.IsZero() {
				y.Told = x.told
				y.Start, y.End = y.Start.Add(x.told.Sub(y.End)), x.told
			}
		}
		list = append(list, y)
	}
	slices.Reverse(list)
	return list
}

// play looks at the device as a collector does, and tells what comes of it:
// what is read of the history, the runs that go out, and when it is due again.
func (s *script) play() string {
	s.t.Helper()
	var out strings.Builder
	var stored, heard, saved string // journals as a ledger keeps them; the last row
	var due, last, opened time.Time
	var j Journal
	for _, now := range s.polls {
		if at := s.restored[0]; !at.IsZero() && !now.Before(at) && opened.IsZero() {
			stored, heard, due, opened = saved, "", at, at
		}
		if j = (Journal{}); stored != "" {
			if err := json.Unmarshal([]byte(stored), &j); err != nil {
				s.t.Fatal(err)
			}
		}
		off, _ := s.in("clock", now)
		_, gone := s.in("gone", now)
		o := Look{Now: latest(now, now.Add(off.off)), Trusted: now, LastRead: last, Baseline: s.polls[0].Add(-day), FirstPolled: opened, Shown: !gone}
		last = now
		snap := &Snapshot{Device: s.device, Sessions: s.statistics(now)}
		if _, unnamed := s.in("unnamed", now); unnamed {
			snap.Device = Device{Product: s.device.Product, ID: s.device.ID, UsedStorage: Unknown}
		}
		switch text := fmt.Sprint(*snap); {
		case gone:
			o.Gone = j.MissingSince.IsZero()
		case text != heard || !j.MissingSince.IsZero():
			o.Snapshot, heard = snap, text
		}
		if o.Snapshot == nil && !o.Gone && (due.IsZero() || due.After(now)) {
			continue
		}
		out.WriteString(hours(now) + s.look(&j, &o))
		var runs []string
		for _, c := range j.Ready(o, s.rules) {
			c.Device = j.Device
			if _, broken := s.in("no texts", now); broken && c.Kind == Whole && c.Status != Success && j.Wait(c) {
				j.Reread = true
				runs = append(runs, "waits")
				break
			}
			if !c.Old {
				j.Complete(&c.Run)
			}
			runs = append(runs, line(c))
			j.Sent(c)
		}
		if n := len(runs); n > 6 {
			runs = []string{runs[0], fmt.Sprintf("%d more", n-2), runs[n-1]}
		}
		if len(runs) > 0 {
			out.WriteString(" | " + strings.Join(runs, ", "))
		}
		due = j.Due(o, s.rules)
		out.WriteString(" | " + hours(due) + "\n")
		text, err := json.Marshal(j)
		if err != nil {
			s.t.Fatal(err)
		}
		if stored = string(text); !now.After(s.restored[1]) {
			saved = stored
		}
	}
	open := 0
	for _, k := range j.Sessions {
		if k.Run == "" {
			open++
		}
	}
	fmt.Fprintf(&out, "keeps %d, %d open\n", len(j.Sessions), open)
	return out.String()
}

// look observes the device, and tells what was read for that.
func (s *script) look(j *Journal, o *Look) (told string) {
	r := j.ReadFrom(o.Snapshot, o.Baseline, o.Trusted)
	o.Since = r.Since
	_, broken := s.in("no history", o.Trusted)
	switch {
	case !r.Needed || o.Gone:
	case broken:
		o.NoHistory, told = "away", " unread since "+hours(r.Since)
	default:
		o.Read, o.History, told = true, s.history(r, o.Trusted), " since "+hours(r.Since)
		for _, t := range r.Single {
			told += " and " + hours(t)
		}
	}
	j.Observe(*o, s.rules)
	return told
}

// line tells what is in a run.
func line(c Candidate) string {
	var b strings.Builder
	if c.Old {
		b.WriteString("old ")
	}
	for _, x := range c.Sessions {
		b.WriteString(x.Source.Key + " ")
	}
	if c.Kind != Whole {
		b.WriteString(string(c.Kind) + " ")
	}
	fmt.Fprintf(&b, "%s-%s %s", hours(c.Start), hours(c.End), c.Status)
	if c.Doubt {
		b.WriteString(" doubt")
	}
	if c.Source == nil && len(c.Sessions) > 0 && strings.Contains(c.ID, "-"+c.Sessions[0].Source.Key+"-") {
		b.WriteString(" late")
	}
	if c.InRow > 1 || c.InRow == 1 && !c.Since.Equal(c.Start) {
		fmt.Fprintf(&b, " (%d in a row since %s)", c.InRow, hours(c.Since))
	}
	for _, g := range c.Good {
		fmt.Fprintf(&b, " (%s good %s)", g.Source.Key, hours(g.End))
	}
	if c.Previous != nil && c.Previous.SelectedBytes > 0 {
		fmt.Fprintf(&b, " (was %d bytes)", c.Previous.SelectedBytes)
	}
	for _, r := range c.Remarks {
		b.WriteString(" " + r)
	}
	return b.String()
}
