package status

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/finding"
	"covebridge/bridge/ledger"
)

const (
	day  = 24 * time.Hour
	week = 7 * day // how long it is a finding that a mail was given up
)

// Read tells how things stand, from what the ledger holds alone. location is
// where today begins.
func Read(ctx context.Context, l *ledger.Ledger, now time.Time, location *time.Location) (Status, error) {
	return ReadAs(ctx, l, now, location, nil)
}

// ReadAs is Read for the bridge that made the report: what it tells now goes
// before what it told the ledger. Where the ledger can't be read, the report is
// in the status all the same.
func ReadAs(ctx context.Context, l *ledger.Ledger, now time.Time, location *time.Location, own *Report) (Status, error) {
	s := Status{At: now, Bridges: []Bridge{}, Accounts: []Account{}, Findings: []finding.Finding{},
		Today: map[backup.Status]int{backup.Success: 0, backup.Warning: 0, backup.Failed: 0}}
	told, err := reports(ctx, l, now, own)
	for _, r := range told {
		s.add(r)
	}
	b, failed := l.Backlog(ctx, now.Add(-week))
	s.Backlog = Backlog{Mails: b.Waiting, Oldest: b.Oldest, Failed: b.Failed, First: b.First, Reason: b.Reason}
	err = errors.Join(err, failed, s.tally(ctx, l, location))
	if err == nil {
		s.Findings = append(s.Findings, s.derived(s.Findings)...)
	}
	finding.Sort(s.Findings)
	return s, err
}

// add adds what one bridge tells, the newest first.
func (s *Status) add(r Report) {
	s.Bridges = append(s.Bridges, r.Bridge)
	alive := r.Bridge.Alive(s.At)
	for _, a := range r.Accounts {
		if !alive {
			a.NextPoll = time.Time{}
		}
		i := slices.IndexFunc(s.Accounts, func(b Account) bool { return a.Name == b.Name })
		if i < 0 {
			s.Accounts = append(s.Accounts, a)
			continue
		}
		b := &s.Accounts[i]
		if a.LastPoll.After(b.LastPoll) {
			b.LastPoll, b.Error = a.LastPoll, a.Error
			b.Unreadable, b.UnreadableCause = a.Unreadable, a.UnreadableCause
		}
		if a.LastGood.After(b.LastGood) {
			b.LastGood = a.LastGood
			if a.Devices > 0 {
				b.Devices = a.Devices
			}
		}
		if b.NextPoll.IsZero() || !a.NextPoll.IsZero() && a.NextPoll.Before(b.NextPoll) {
			b.NextPoll = a.NextPoll
		}
	}
	if !alive {
		return
	}
	for _, f := range r.Findings {
		if f.Name == finding.MailsGivenUp.Name { // the ledger knows it, of all bridges and beyond a restart
			continue
		}
		if !slices.ContainsFunc(s.Findings, f.SameCondition) {
			s.Findings = append(s.Findings, f)
		}
	}
}

// tally counts today's runs and measures the lag of the last day's.
func (s *Status) tally(ctx context.Context, l *ledger.Ledger, location *time.Location) error {
	midnight := Midnight(s.At, location)
	since := s.At.Add(-day)
	if midnight.Before(since) {
		since = midnight
	}
	var lags, recent []time.Duration
	err := l.Ended(ctx, since, func(e ledger.Ended) {
		if !e.End.Before(midnight) {
			s.Today[e.Status]++
		}
		if !e.Sent.IsZero() {
			lag := max(e.Sent.Sub(e.End), 0)
			lags = append(lags, lag)
			if s.At.Sub(e.Sent) < time.Hour {
				recent = append(recent, lag)
			}
		}
		s.Stopped.count(e)
	})
	if len(lags) > 0 {
		slices.Sort(lags)
		s.Lag = Lag{Runs: len(lags), Median: lags[len(lags)/2], Worst: lags[len(lags)-1]}
	}
	if len(recent) > 0 {
		slices.Sort(recent)
		s.Lag.Recent = recent[len(recent)/2]
	}
	return err
}

// count counts a run. One stopped for its status alone is as the administrator
// wants it: a good day has no failures.
func (s *Stopped) count(e ledger.Ended) {
	if e.State == backup.EntryBaseline {
		return
	}
	s.Of++
	if e.State == backup.EntryFiltered && !strings.HasPrefix(e.Reason, "filter.statuses") {
		s.Runs++
		s.Rule = e.Reason
	}
}
