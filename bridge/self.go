package bridge

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/finding"
	"covebridge/bridge/status"
)

const (
	// reportInterval is the time between two times that a bridge tells how it is, where
	// nothing changes, and minReportInterval at least, where something does.
	reportInterval    = time.Minute
	minReportInterval = 5 * time.Second
	// runExpiry is after how much silence a bridge is gone, and onceExpiry that
	// after which another `once` is missed: many a cron has one a day.
	runExpiry     = 5 * time.Minute
	onceExpiry    = 25 * time.Hour
	reportTimeout = 10 * time.Second
)

// self is what a bridge knows of itself.
type self struct {
	started  time.Time
	changed  chan struct{}
	watchdog watchdog

	mu       sync.Mutex
	accounts []status.Account
}

func newSelf(o Options) *self {
	s := &self{started: o.Now(), changed: make(chan struct{}, 1)}
	for _, src := range o.Sources {
		s.accounts = append(s.accounts, status.Account{Name: src.Name()})
	}
	return s
}

// processName tells processes apart.
func processName() string {
	host, _ := os.Hostname() // where it has none, the process must do
	return fmt.Sprintf("%s:%d", host, os.Getpid())
}

// notePoll notes what a poll came to, and when the next one is.
func (s *self) notePoll(p Polled, err error, next time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.accounts {
		a := &s.accounts[i]
		if a.Name != p.Account {
			continue
		}
		a.NextPoll = next
		if p.Elsewhere {
			break
		}
		a.LastPoll, a.Error = time.Now(), ""
		if err != nil {
			a.Error = err.Error()
			break
		}
		a.LastGood = a.LastPoll
		if p.Sweep {
			a.Devices = int(p.Devices)
		}
	}
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// addUnreadable notes how many more devices have no readable history since a poll,
// and tells how many there are, and why of one of them.
func (s *self) addUnreadable(account string, more int64, cause string) (devices int, why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.accounts {
		if a := &s.accounts[i]; a.Name == account {
			a.Unreadable = max(a.Unreadable+int(more), 0)
			if cause != "" {
				a.UnreadableCause = cause
			}
			if a.Unreadable == 0 {
				a.UnreadableCause = ""
			}
			return a.Unreadable, a.UnreadableCause
		}
	}
	return 0, ""
}

// restore takes over what was known before this process began.
func (s *self) restore(before []status.Account) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.accounts {
		for _, a := range before {
			if mine := &s.accounts[i]; a.Name == mine.Name && mine.LastPoll.IsZero() {
				a.NextPoll = time.Time{}
				*mine = a
			}
		}
	}
}

// restoreAccounts takes over from the ledger what was known before this process began.
func (b *Bridge) restoreAccounts(ctx context.Context) {
	if before, err := status.Read(ctx, b.Ledger, time.Now(), b.Location); err == nil { // else the polls will say so
		b.self.restore(before.Accounts)
	}
}

// report is what this bridge tells; until as in status.Bridge.
func (b *Bridge) report(until time.Time) status.Report {
	b.self.mu.Lock()
	defer b.self.mu.Unlock()
	return status.Report{
		Bridge:   status.Bridge{Name: b.Name, Version: b.Version, Started: b.self.started, Until: until},
		Accounts: append([]status.Account{}, b.self.accounts...),
		Findings: b.Findings.Current(),
	}
}

// Status tells how things stand, as seen from this bridge. After an error it
// holds what could be found out.
func (b *Bridge) Status(ctx context.Context) (status.Status, error) {
	now := b.Now()
	own := b.report(now.Add(runExpiry))
	return status.ReadAs(ctx, b.Ledger, now, b.Location, &own)
}

// publish tells the ledger how this bridge is.
func (b *Bridge) publish(ctx context.Context, until time.Time) {
	limited, done := context.WithTimeout(ctx, reportTimeout)
	defer done()
	err := status.Publish(limited, b.Ledger, b.report(until))
	if ctx.Err() != nil {
		return
	}
	why, remedy := backup.Explain(err)
	b.setFinding(ledgerUnwritable, "", err != nil, why, cmp.Or(remedy, finding.CheckLedger))
}

// monitor tells how this bridge is: at a change, or else once a minute, and that
// it has ended.
func (b *Bridge) monitor(ctx context.Context) {
	tick := time.NewTicker(reportInterval)
	defer tick.Stop()
	for {
		b.examine(ctx)
		b.publish(ctx, time.Now().Add(runExpiry))
		select {
		case <-ctx.Done():
			b.publish(context.WithoutCancel(ctx), time.Time{})
			return
		case <-tick.C:
			continue
		case <-b.self.changed:
		case <-b.Findings.Changed():
		}
		select {
		case <-ctx.Done():
		case <-time.After(minReportInterval):
		}
	}
}
