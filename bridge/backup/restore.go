package backup

import (
	"strconv"
	"time"
)

// NewJournal makes the journal of a device of the ledger's first edition, which
// kept sessions one by one. runs are the identities of the runs that the
// sessions went out in, by index; empty: still open.
//
// What the first edition knew of a running session from statistics alone is
// left out: the next look at them tells it anew.
func NewJournal(d Device, first time.Time, noHistory string, sessions []Session, runs []string) Journal {
	// It read histories from a day before the baseline on, by default a day before
	// the first sight: what began earlier and is not known is old.
	j := Journal{Device: d, First: first, NoHistory: noHistory, Floor: first.Add(-day), Acknowledged: map[string][]time.Time{}}
	for i, s := range sessions {
		if s.ID == "" && s.State == Running {
			continue
		}
		if d.Type != Microsoft365 {
			s.Seq, _ = strconv.ParseInt(s.ID, 10, 64)
		}
		j.Seq = max(j.Seq, s.Seq)
		j.Sessions = append(j.Sessions, Known{Session: s, Run: runs[i], BegunAt: s.Start, EndedAt: s.End})
	}
	sortKnown(j.Sessions)
	for _, k := range j.Sessions {
		if !k.Told.IsZero() {
			j.acknowledge(k.Session)
		}
	}
	j.trim()
	return j
}
