package collect_test

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
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
	listed    int              // rows of histories given
	null      map[string]bool  // devices whose columns are missing, by id
	names     map[string]string
	delay     map[string]time.Duration // how long after their ends sessions are listed, by id
	ranks     map[string][]int64       // numbers of the sessions, by device id
	noSeq     bool                     // the numbers of sessions don't count up
	vague     bool                     // the starts of running sessions are not told
	starts    bool                     // what statistics tell of a session's time is its start
	lookBack  time.Duration
	failing   func(backup.Selection, string) bool // breaks the list of devices off at this device
	clockOff  time.Duration                       // of the product's clock as it is told
	offset    map[string]time.Duration            // of the devices' own clocks, by id
	shift     func(backup.Session) time.Duration  // how far off the time is that a session's device told
	hang      chan struct{}                       // histories wait for it to be closed
	reads     []backup.Selection
	salt      int // changes all fingerprints, and nothing else
	texts     int // calls for error texts
	readable  int // how often each history can be had; 0: always
}

func (p *product) Name() string { return p.name }

func (p *product) Clock(context.Context) (time.Time, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now.Add(p.clockOff), p.down
}

// seen gives the sessions of a device as they stand now, oldest first.
func (p *product) seen(id string) (seen []backup.Session) {
	for i, s := range p.truth[id] {
		var shift time.Duration
		if p.shift != nil {
			shift = p.shift(s)
		}
		if s.Start.After(p.now.Add(shift)) {
			continue
		}
		if s.End.After(p.now.Add(shift)) {
			s.State, s.Status, s.End, s.Result, s.ErrorCount = backup.Running, 0, time.Time{}, "running", 0
		}
		if !p.noSeq {
			s.Seq = p.sequence(id, i)
		}
		off := p.offset[id]
		s.Start = s.Start.Add(off)
		if !s.End.IsZero() {
			s.End = s.End.Add(off)
		}
		seen = append(seen, s)
	}
	return seen
}

// row is a device as the product shows it.
type row struct {
	key  []byte
	snap backup.Snapshot
	null bool // none of its columns come
	salt int  // what else the fingerprint holds
}

func (r *row) Key() []byte { return r.key }

func (r *row) Fingerprint() uint64 {
	if r.null {
		return 0
	}
	h := fnv.New64a()
	fmt.Fprint(h, r.salt, r.snap.Device.Name, r.snap.Sessions)
	return h.Sum64() | 1
}

func (r *row) Snapshot() backup.Snapshot { return r.snap }

// sequence is the number of a session in the order of their starts.
func (p *product) sequence(id string, i int) int64 {
	truth := p.truth[id]
	if len(p.ranks[id]) != len(truth) {
		order := make([]int, len(truth))
		for n := range order {
			order[n] = n
		}
		slices.SortStableFunc(order, func(a, b int) int { return truth[a].Start.Compare(truth[b].Start) })
		p.ranks[id] = make([]int64, len(truth))
		for n, o := range order {
			p.ranks[id][o] = int64(n + 1)
		}
	}
	return p.ranks[id][i]
}

func (p *product) Devices(_ context.Context, sel backup.Selection, yield func(backup.Row) error) error {
	p.mu.Lock()
	p.reads = append(p.reads, sel)
	if p.down != nil || p.unread != nil {
		p.mu.Unlock()
		return errors.Join(p.down, p.unread)
	}
	var rows []*row
	for _, d := range p.devices {
		touched := sel.Since == 0
		last := map[string][]backup.Session{}
		for _, s := range p.seen(d.ID) {
			touched = touched || p.now.Sub(s.Start) < sel.Since || p.now.Sub(s.End) < sel.Since
			last[s.Source.Key] = append(last[s.Source.Key], s)
		}
		if !touched {
			continue
		}
		snap := backup.Snapshot{Device: d}
		for _, all := range last {
			newest := len(all) - 1
			if all[newest].State == backup.Running && newest > 0 {
				snap.Sessions = append(snap.Sessions, p.fromStatistics(all[newest-1]))
			}
			snap.Sessions = append(snap.Sessions, p.fromStatistics(all[newest]))
		}
		backup.SortSessions(snap.Sessions)
		r := &row{key: []byte(d.Key()), snap: snap, null: p.null[d.ID], salt: p.salt}
		if r.null {
			r.snap = backup.Snapshot{Device: backup.Device{Product: d.Product, ID: d.ID, UsedStorage: backup.Unknown}}
		}
		rows = append(rows, r)
	}
	failing := p.failing
	p.mu.Unlock()
	if sel.OnTotal != nil {
		sel.OnTotal(int64(len(rows)))
	}
	for _, r := range rows {
		if failing != nil && failing(sel, r.snap.Device.ID) {
			return errors.New("HTTP 500 from page 2")
		}
		if err := yield(r); err != nil {
			return err
		}
	}
	return nil
}

// fromStatistics is a session as statistics tell of it: without its id, and a little off.
func (p *product) fromStatistics(s backup.Session) backup.Session {
	s.ID, s.Seq, s.Start = "", 0, s.Start.Add(p.skew)
	switch {
	case s.State == backup.Running:
		if p.vague {
			s.Approx = true
		}
	default:
		s.End = s.End.Add(p.skew)
		if s.Told = s.End; p.starts { // what is told is the start, and taken for the end
			took := s.End.Sub(s.Start)
			s.Told, s.End, s.Start = s.Start, s.Start, s.Start.Add(-took)
		}
	}
	return s
}

func (p *product) Sessions(_ context.Context, d backup.Device, since, until time.Time) (found []backup.Session, err error) {
	if p.hang != nil {
		<-p.hang
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked[d.ID]++
	if p.noHistory || p.down != nil || p.readable > 0 && p.asked[d.ID] > int64(p.readable) {
		return nil, fmt.Errorf("node of %s: %w", d.Name, errors.Join(backup.ErrNoHistory, p.down))
	}
	for _, s := range p.seen(d.ID) {
		end := s.End.Add(-p.offset[d.ID])
		hidden := p.late[s.ID] && s.State == backup.Running || s.State != backup.Running && p.delay[s.ID] > 0 && p.now.Before(end.Add(p.delay[s.ID]))
		if !s.Start.Before(since.Add(-p.lookBack)) && (until.IsZero() || s.Start.Before(until)) && !hidden {
			found = append(found, s)
		}
	}
	backup.SortSessions(found)
	p.listed += len(found)
	return found, nil
}

func (p *product) Errors(_ context.Context, _ backup.Device, sessions []backup.Session) error {
	p.mu.Lock()
	p.texts++
	p.mu.Unlock()
	for i := range sessions {
		s := &sessions[i]
		if p.noErrors {
			s.ErrorsMissing = "no error texts today"
			continue
		}
		s.Errors = []backup.Error{{Text: "disk on fire in " + s.ID, Count: 1, Time: s.End}}
	}
	return nil
}

func (p *product) DeviceName(_ context.Context, d backup.Device) (string, error) {
	if name := p.names[d.ID]; name != "" {
		return name, nil
	}
	return "", errors.New("no name today")
}

// advance moves the product's clock.
func (p *product) advance(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = p.now.Add(d)
}
