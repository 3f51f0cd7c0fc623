package bridge_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"covebridge/bridge/backup"
)

// product is a second backup product, that knows nothing of Cove: what happened
// on its devices is given, and it tells of that as it stands at its clock.
type product struct {
	name string
	skew time.Duration // of its statistics against its history

	mu        sync.Mutex
	now       time.Time
	truth     map[string][]backup.Session // by device id, with all that is still to come
	devices   []backup.Device
	down      error            // answer to everything
	unread    error            // answer to reading devices
	noHistory bool             // histories can't be had
	noErrors  bool             // error texts can't be had
	late      map[string]bool  // sessions by id that histories list only once they ended
	asked     map[string]int64 // histories asked for, by device id
}

func (p *product) Name() string { return p.name }

func (p *product) Clock(context.Context) (time.Time, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now, p.down
}

func (p *product) Check(context.Context) (string, error) { return "all right", p.down }

// seen gives the sessions of a device as they stand now, oldest first.
func (p *product) seen(id string) (seen []backup.Session) {
	for _, s := range p.truth[id] {
		if s.Start.After(p.now) {
			continue
		}
		if s.End.After(p.now) {
			s.State, s.Status, s.End, s.Result, s.ErrorCount = backup.Running, 0, time.Time{}, "running", 0
		}
		seen = append(seen, s)
	}
	backup.SortSessions(seen)
	return seen
}

func (p *product) Devices(_ context.Context, sel backup.Selection, yield func(backup.Snapshot) error) error {
	p.mu.Lock()
	if p.down != nil || p.unread != nil {
		p.mu.Unlock()
		return errors.Join(p.down, p.unread)
	}
	var snaps []backup.Snapshot
	devices := p.devices
	if sel.Count > 0 {
		devices = devices[min(sel.From, int64(len(devices))):min(sel.From+sel.Count, int64(len(devices)))]
	}
	for _, d := range devices {
		snap := backup.Snapshot{Device: d, At: p.now}
		touched := sel.Since == 0 || slices.Contains(sel.IDs, d.ID)
		last := map[string][]backup.Session{}
		for _, s := range p.seen(d.ID) {
			touched = touched || p.now.Sub(s.Start) < sel.Since || p.now.Sub(s.End) < sel.Since
			last[s.Source.Key] = append(last[s.Source.Key], s)
		}
		if !touched {
			continue
		}
		for _, all := range last {
			newest := len(all) - 1
			if all[newest].State == backup.Running && newest > 0 {
				snap.Sessions = append(snap.Sessions, p.told(all[newest-1]))
			}
			snap.Sessions = append(snap.Sessions, p.told(all[newest]))
		}
		backup.SortSessions(snap.Sessions)
		snap.Fingerprint = fmt.Sprint(snap.Sessions)
		snaps = append(snaps, snap)
	}
	p.mu.Unlock()
	for _, s := range snaps {
		if err := yield(s); err != nil {
			return err
		}
	}
	return nil
}

// told is a session as statistics tell of it: without its id, and a little off.
func (p *product) told(s backup.Session) backup.Session {
	s.ID, s.Start = "", s.Start.Add(p.skew)
	if s.State == backup.Ended {
		s.End = s.End.Add(p.skew)
		s.Told = s.End
	}
	return s
}

func (p *product) Sessions(_ context.Context, d backup.Device, since, until time.Time) (found []backup.Session, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked[d.ID]++
	if p.noHistory || p.down != nil {
		return nil, fmt.Errorf("node of %s: %w", d.Name, errors.Join(backup.ErrNoHistory, p.down))
	}
	for _, s := range p.seen(d.ID) {
		hidden := p.late[s.ID] && s.State == backup.Running
		if !s.Start.Before(since.Add(-12*time.Hour)) && (until.IsZero() || s.Start.Before(until)) && !hidden {
			found = append(found, s)
		}
	}
	return found, nil
}

func (p *product) Errors(_ context.Context, _ backup.Device, s backup.Session) ([]backup.Error, error) {
	if p.noErrors {
		return nil, errors.New("no error texts today")
	}
	return []backup.Error{{Text: "disk on fire in " + s.ID, Count: 1, Time: s.End}}, nil
}

// advance moves the product's clock.
func (p *product) advance(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = p.now.Add(d)
}
