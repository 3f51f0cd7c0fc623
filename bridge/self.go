package bridge

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/status"
)

const (
	// telling is the time between two times that a bridge tells how it is, where
	// nothing changes, and tellApart at least, where something does.
	telling   = time.Minute
	tellApart = 5 * time.Second
	// runLasts is after how much silence a bridge is gone, and onceLasts that
	// after which another `once` is missed: many a cron has one a day.
	runLasts  = 5 * time.Minute
	onceLasts = 25 * time.Hour
	tellLimit = 10 * time.Second
)

// self is what a bridge knows of itself.
type self struct {
	started time.Time
	news    chan struct{}
	pulse   pulse

	mu       sync.Mutex
	accounts []status.Account
}

func newSelf(o Options) *self {
	s := &self{started: o.Now(), news: make(chan struct{}, 1)}
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

// polled notes what a poll came to, and when the next one is.
func (s *self) polled(p Polled, err error, next time.Time) {
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
	case s.news <- struct{}{}:
	default:
	}
}

// unreadable notes how many more devices have no readable history since a poll,
// and tells how many there are, and why of one of them.
func (s *self) unreadable(account string, more int64, cause string) (devices int, why string) {
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

// remember takes over what was known before this process began.
func (s *self) remember(before []status.Account) {
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

// recall takes over from the ledger what was known before this process began.
func (b *Bridge) recall(ctx context.Context) {
	if before, err := status.Read(ctx, b.Ledger, time.Now(), b.Location); err == nil { // else the polls will say so
		b.self.remember(before.Accounts)
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
	own := b.report(now.Add(runLasts))
	return status.ReadAs(ctx, b.Ledger, now, b.Location, &own)
}

// tell tells the ledger how this bridge is.
func (b *Bridge) tell(ctx context.Context, until time.Time) {
	limited, done := context.WithTimeout(ctx, tellLimit)
	defer done()
	err := status.Tell(limited, b.Ledger, b.report(until))
	if ctx.Err() != nil {
		return
	}
	why, remedy := backup.Explain(err)
	b.condition(unwritable, "", err != nil, why, cmp.Or(remedy, "`covebridge check` tries the ledger"))
}

// watch tells how this bridge is: at a change, or else once a minute, and that
// it has ended.
func (b *Bridge) watch(ctx context.Context) {
	tick := time.NewTicker(telling)
	defer tick.Stop()
	for {
		b.examine(ctx)
		b.tell(ctx, time.Now().Add(runLasts))
		select {
		case <-ctx.Done():
			b.tell(context.WithoutCancel(ctx), time.Time{})
			return
		case <-tick.C:
			continue
		case <-b.self.news:
		case <-b.Findings.Changed():
		}
		select {
		case <-ctx.Done():
		case <-time.After(tellApart):
		}
	}
}
