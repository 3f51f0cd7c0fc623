// Package finding holds what an operator should know: what is wrong, since
// when, why, and what to do about it.
//
// Whoever notices something raises a Condition, and clears it when it is well
// again. The List of all conditions is the one place that status, page,
// metrics, health and heartbeat read.
package finding

import (
	"cmp"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// Severity is how bad a finding is, in the words of a heartbeat mail.
type Severity string

// The severities, the worst last.
const (
	Warning Severity = "Warning" // runs may come late, or mails may say less
	Failed  Severity = "Failed"  // runs are not mailed
)

// Finding is something that an operator should know.
type Finding struct {
	Name     string    `json:"name"`              // stable, for metrics and alerts: "login_refused"
	Subject  string    `json:"subject,omitempty"` // the account; empty: the mailbox, or the bridge as a whole
	Severity Severity  `json:"severity"`
	Since    time.Time `json:"since"`
	What     string    `json:"what"`             // what is wrong: "the mailbox takes no mails"
	Why      string    `json:"why"`              // the cause, as it was told last
	Remedy   string    `json:"remedy,omitempty"` // what the operator can do; empty where nothing is known
	Times    int       `json:"times"`            // how often it was noticed since
}

// CheckLedger is the remedy where the ledger fails and its error tells none.
const CheckLedger = "`covebridge check` tries the ledger"

// Kind is a kind of finding.
type Kind struct {
	Name     string
	Severity Severity
	What     string // what a log line begins with
}

// MailsGivenUp is what deliver raises as it happens, and what the ledger tells of
// later, of all bridges and beyond a restart.
var MailsGivenUp = Kind{Name: "mails_given_up", Severity: Failed, What: "mails are given up"}

// List is all conditions that were ever noticed.
type List struct {
	log *slog.Logger

	mu      sync.Mutex
	all     []*Condition
	changed chan struct{}
}

// NewList gives an empty List whose conditions tell log.
func NewList(log *slog.Logger) *List { return &List{log: log, changed: make(chan struct{}, 1)} }

// Changed gets a value when something began or ended, for the one who waits for it.
func (l *List) Changed() <-chan struct{} { return l.changed }

func (l *List) change() {
	select {
	case l.changed <- struct{}{}:
	default:
	}
}

// Condition gives the condition of this kind and subject, made when it is asked
// for first.
func (l *List) Condition(kind Kind, subject string) *Condition {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.all {
		if c.kind.Name == kind.Name && c.subject == subject {
			return c
		}
	}
	log := l.log
	if subject != "" {
		log = log.With("account", subject)
	}
	c := &Condition{log: log, changed: l.change, kind: kind, subject: subject}
	l.all = append(l.all, c)
	return c
}

// Current lists what is wrong at present: the worst first, then the oldest.
func (l *List) Current() (current []Finding) {
	l.mu.Lock()
	all := slices.Clone(l.all)
	l.mu.Unlock()
	for _, c := range all {
		if f, raised := c.Finding(); raised {
			current = append(current, f)
		}
	}
	Sort(current)
	return current
}

// Sort puts the worst first, then the oldest.
func Sort(all []Finding) {
	slices.SortStableFunc(all, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(b.Severity.rank(), a.Severity.rank()), a.Since.Compare(b.Since))
	})
}

func (s Severity) rank() int {
	if s == Failed {
		return 2
	}
	return 1
}

// SameCondition tells whether both are about the same.
func (f Finding) SameCondition(g Finding) bool { return f.Name == g.Name && f.Subject == g.Subject }

// String is a Finding in a line.
func (f Finding) String() string {
	s := fmt.Sprintf("%s: %s", f.What, f.Why)
	if f.Subject != "" {
		s = f.Subject + ": " + s
	}
	if f.Remedy != "" {
		s += " → " + f.Remedy
	}
	return s
}
