package deliver

import (
	"errors"
	"sync"
	"time"

	"covebridge/bridge/finding"
	"covebridge/bridge/mailbox"
)

const (
	minPause = 2 * time.Second // until a mailbox that is ill is asked again
	maxPause = 5 * time.Minute // and at last, whatever it asks for
	// maxRejected is how many different mails a mailbox may refuse, and take none,
	// before it is taken for ill. It is more than the bad mails that may lie
	// before the first good one.
	maxRejected = 100
)

// health is what is known of the mailbox: it is well, or ill, and then when it
// is to be asked again, with one mail.
type health struct {
	unreachable, refusing *finding.Condition

	mu            sync.Mutex
	accepted      uint64              // mails it took so far
	outages       uint64              // times it failed so far; those side by side count once
	tries         int                 // failures in a row
	until         time.Time           // it is left alone until then; zero: it is well
	refused       map[string]struct{} // different mails it refused since it took the last
	mailSuspected bool                // it may be ill for what a mail did to it
}

// healthMark is how the mailbox stood when something was begun with it.
type healthMark struct{ accepted, outages uint64 }

func newHealth(findings *finding.List) *health {
	return &health{
		unreachable: findings.Condition(finding.Kind{Name: "mailbox_ill", Severity: finding.Failed, What: "the mailbox takes no mails"}, ""),
		refusing:    findings.Condition(finding.Kind{Name: "mailbox_refusing", Severity: finding.Failed, What: "the mailbox refuses mails and takes no others"}, ""),
		refused:     map[string]struct{}{},
	}
}

func (h *health) mark() healthMark {
	h.mu.Lock()
	defer h.mu.Unlock()
	return healthMark{h.accepted, h.outages}
}

// ill tells how long the mailbox is still to be left alone. blamed: what ails it
// may be the mails it got, so that another kind of mail may pass.
func (h *health) ill() (ill bool, wait time.Duration, blamed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return !h.until.IsZero(), max(time.Until(h.until), 0), h.mailSuspected || len(h.refused) >= maxRejected
}

// addAccepted says that the mailbox took mails. That it is well follows only where they
// were begun after it failed last. It gives the number of all it took.
func (h *health) addAccepted(s healthMark, mails int) uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.accepted += uint64(mails)
	if mails > 0 {
		clear(h.refused)
		h.refusing.Clear()
		if s.outages == h.outages {
			h.until, h.tries = time.Time{}, 0
			h.unreachable.Clear()
		}
	}
	return h.accepted
}

// reachable says that the mailbox said no to a mail, for a reason that may lie in
// the mail: it is reached again, but whether it is well is open.
func (h *health) reachable(s healthMark) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s.outages == h.outages && len(h.refused) < maxRejected {
		h.until = time.Time{}
	}
}

// addRejected says that the mailbox refused a mail. known: that mail is bad anyway,
// and says nothing about the mailbox.
func (h *health) addRejected(s healthMark, id string, known bool, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !known && len(h.refused) < 2*maxRejected {
		h.refused[id] = struct{}{}
		h.refusing.Raise(explain(err))
	}
	if len(h.refused) >= maxRejected {
		h.extendPause(s, 0)
	} else if s.outages == h.outages {
		h.until = time.Time{}
	}
}

// failed says that the mailbox is ill.
func (h *health) failed(s healthMark, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.unreachable.Raise(explain(err))
	var e *mailbox.Error
	var asked time.Duration
	if errors.As(err, &e) {
		asked = e.RetryAfter
	}
	h.mailSuspected = e == nil || e.Class == mailbox.Unknown
	h.extendPause(s, asked)
}

// extendPause leaves the mailbox alone: for longer with each failure in a row, of
// which those side by side are one.
func (h *health) extendPause(s healthMark, asked time.Duration) {
	now := time.Now()
	if s.outages == h.outages {
		h.outages++
		h.until = now.Add(max(jitter(backoff(h.tries, minPause, maxPause)), min(asked, maxPause)))
		h.tries++
		return
	}
	if until := now.Add(min(asked, maxPause)); asked > 0 && until.After(h.until) {
		h.until = until
	}
}

// explain takes the hint out of an error.
func explain(err error) (why, remedy string) {
	var e *mailbox.Error
	if !errors.As(err, &e) || e.Hint == "" {
		return err.Error(), "`covebridge check` tries the mailbox, and tells which step fails"
	}
	plain := *e
	plain.Hint = ""
	return plain.Error(), e.Hint
}
