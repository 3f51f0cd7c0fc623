package status

import (
	"fmt"
	"time"

	"covebridge/bridge/finding"
)

// The kinds of findings that the ledger alone tells of, whether a bridge runs or not.
var (
	NotRunning = finding.Kind{Name: "not_running", Severity: finding.Failed, What: "no covebridge is running"}
	Filtered   = finding.Kind{Name: "nothing_passes", Severity: finding.Failed, What: "no run passes the filters"}
	Stuck      = finding.Kind{Name: "mails_stuck", Severity: finding.Failed, What: "mails wait for too long"}
)

// stuckAfter is how long a mail may wait to be delivered until that is a finding.
const stuckAfter = time.Hour

// derived gives the findings that follow from the rest, but for those known already.
func (s *Status) derived(known []finding.Finding) (more []finding.Finding) {
	add := func(k finding.Kind, since time.Time, why, remedy string) {
		f := finding.Finding{Name: k.Name, Severity: k.Severity, Since: since, What: k.What, Why: why, Remedy: remedy, Times: 1}
		for _, g := range known {
			if g.SameCondition(f) {
				return
			}
		}
		more = append(more, f)
	}
	alive := false
	for _, b := range s.Bridges {
		alive = alive || b.Alive(s.At)
	}
	if !alive {
		since, why := s.At, "none has run on this ledger yet"
		remedy := "start it: `systemctl start covebridge`, or `covebridge run`; its log tells why it ended"
		if len(s.Bridges) > 0 {
			b := s.Bridges[0]
			since, why = b.Seen, b.Name+" is not heard of any more"
			if b.Until.IsZero() {
				why = b.Name + " has ended"
			} else {
				remedy += ". If it runs all the same, it can't write the ledger: its page and its log tell why"
			}
		}
		add(NotRunning, since, why, remedy)
	}
	if why, remedy, on := s.Backlog.GivenUp(); on {
		add(finding.MailsGivenUp, s.Backlog.First, why, remedy)
	}
	if why, remedy, on := s.Backlog.Stuck(s.At); on {
		add(Stuck, s.Backlog.Oldest.Add(stuckAfter), why, remedy)
	}
	if why, remedy, on := s.Stopped.All(); on {
		add(Filtered, s.At, why, remedy)
	}
	return more
}

// All tells whether every run was stopped, and what helps.
func (s Stopped) All() (why, remedy string, on bool) {
	return fmt.Sprintf("all %d that ended within a day were stopped, by %s", s.Runs, s.Rule),
		"widen filter: in the configuration; `covebridge history --state filtered` tells each run's rule", s.Runs > 0 && s.Runs == s.Of
}

// GivenUp tells whether mails were given up, and what helps.
func (b Backlog) GivenUp() (why, remedy string, on bool) {
	return fmt.Sprintf("%d within a week; the newest: %s", b.Failed, b.Reason),
		"`covebridge history --state failed` lists them; once the cause is gone, `covebridge resend --failed` sends them", b.Failed > 0
}

// Stuck tells whether mails wait for too long, and what helps.
func (b Backlog) Stuck(now time.Time) (why, remedy string, on bool) {
	age := now.Sub(b.Oldest)
	return fmt.Sprintf("%d wait, the oldest for %s", b.Mails, age.Round(time.Minute)),
		"`covebridge check` tries the mailbox; `covebridge history --state queued` tells what each waits for", !b.Oldest.IsZero() && age > stuckAfter
}
