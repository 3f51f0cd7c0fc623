package collect_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"covebridge/bridge/backup"
)

// journals keeps records in memory as a ledger would: as JSON, with versions.
type journals struct {
	mu               sync.Mutex
	records          map[string]stored
	entries          []backup.Entry // in the order of their commits
	values           map[string]string
	loads            int
	commits          int
	err              error  // answer to commits
	closed           error  // answer to loads
	stuck            error  // answer to what is to be sent again
	fingerprintReads int    // readings of all fingerprints
	beforeCommit     func() // called before the next commit, once
}

type stored struct {
	account     string
	fingerprint uint64
	version     int64
	due         time.Time
	journal     []byte
}

func newJournals() *journals {
	return &journals{records: map[string]stored{}, values: map[string]string{}}
}

func (l *journals) Load(_ context.Context, key string) (r backup.Record, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.loads++
	if l.closed != nil {
		return r, l.closed
	}
	s, known := l.records[key]
	if !known {
		return r, nil
	}
	r = backup.Record{Account: s.account, Fingerprint: s.fingerprint, Version: s.version}
	return r, json.Unmarshal(s.journal, &r.Journal)
}

func (l *journals) Commit(_ context.Context, steps []backup.Step) (stale []int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if beforeCommit := l.beforeCommit; beforeCommit != nil {
		l.beforeCommit = nil
		l.mu.Unlock()
		beforeCommit()
		l.mu.Lock()
	}
	if l.err != nil {
		return nil, l.err
	}
	l.commits++
	for i, s := range steps {
		if l.records[s.Key].version != s.Record.Version {
			stale = append(stale, i)
			continue
		}
		text, err := json.Marshal(s.Record.Journal)
		if err != nil {
			return nil, err
		}
		l.records[s.Key] = stored{s.Record.Account, s.Record.Fingerprint, s.Record.Version + 1, s.Due, text}
		for _, e := range s.Entries {
			if e.State == backup.EntryQueued && len(e.Mail) == 0 {
				return nil, errors.New("no mail")
			}
			if !slices.ContainsFunc(l.entries, func(o backup.Entry) bool { return o.Run.ID == e.Run.ID }) {
				l.entries = append(l.entries, e)
			}
		}
	}
	return stale, nil
}

func (l *journals) Fingerprints(_ context.Context, yield func(key, account string, fingerprint uint64)) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fingerprintReads++
	for key, s := range l.records {
		yield(key, s.account, s.fingerprint)
	}
	return nil
}

func (l *journals) DueDevices(_ context.Context, account string, now time.Time, limit int) (due []string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for key, s := range l.records {
		if s.account == account && !s.due.IsZero() && !s.due.After(now) && len(due) < limit {
			due = append(due, key)
		}
	}
	slices.Sort(due)
	return due, nil
}

func (l *journals) State(_ context.Context, run string) (backup.EntryState, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.entries {
		if e.Run.ID == run {
			return e.State, nil
		}
	}
	return "", nil
}

func (l *journals) Resend(_ context.Context, e backup.Entry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stuck != nil {
		return l.stuck
	}
	for i, o := range l.entries {
		if o.Run.ID == e.Run.ID {
			e.State = backup.EntryQueued
			l.entries = append(slices.Delete(l.entries, i, i+1), e)
			return nil
		}
	}
	return errors.New("no such entry")
}

func (l *journals) Value(_ context.Context, name string) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.values[name], nil
}

func (l *journals) SetValue(_ context.Context, name, value string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.values[name] = value
	return nil
}

// journal gives a device's as it is stored.
func (l *journals) journal(key string) (j backup.Journal) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = json.Unmarshal(l.records[key].journal, &j)
	return j
}

// queued lists the runs that are to be mailed, in the order of their commits.
func (l *journals) queued() (all []backup.Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.entries {
		if e.State == backup.EntryQueued {
			all = append(all, e)
		}
	}
	return all
}
