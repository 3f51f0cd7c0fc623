package deliver

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"time"

	"covebridge/bridge/backup"
)

// store is a ledger's outbox in memory, which several bridges can share.
type store struct {
	mu      sync.Mutex
	entries []*row // by the ends of their runs
	lease   time.Duration
	events  []string // "run: state"
}

type row struct {
	backup.Entry
	owner string
	until time.Time // end of the lease
}

func newStore() *store { return &store{lease: time.Minute} }

// put queues mails, one for each of n devices.
func (s *store) put(name string, n int, status backup.Status) {
	for i := range n {
		s.queue(fmt.Sprint(name, i), 0, status)
	}
}

// queue queues a mail of a device; nth orders the mails of one.
func (s *store) queue(device string, nth int, status backup.Status) *row {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := backup.Device{Product: "acme", ID: device, Name: device}
	r := backup.Run{ID: fmt.Sprintf("%s-%d", device, nth), Kind: backup.Whole, Device: d, Status: status, End: time.Unix(int64(nth), 0)}
	e := &row{Entry: backup.Entry{Run: r, State: backup.EntryQueued, MessageID: r.ID + "@x", Mail: []byte("x"), Created: time.Now()}}
	s.entries = append(s.entries, e)
	slices.SortStableFunc(s.entries, func(a, b *row) int { return a.Run.End.Compare(b.Run.End) })
	return e
}

func (s *store) get(id string) *row {
	for _, e := range s.entries {
		if e.Run.ID == id {
			return e
		}
	}
	panic("no entry " + id)
}

// count counts the entries in a state.
func (s *store) count(state backup.EntryState) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.entries {
		if e.State == state {
			n++
		}
	}
	return n
}

// counted is the sum of what counts against mails.
func (s *store) counted() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.entries {
		n += e.Attempts
	}
	return n
}

func waiting(e *row) bool {
	return e.State == backup.EntryQueued || e.State == backup.EntrySending
}

// heads gives the first waiting entry of each device that nobody works on, the
// devices with the worst mails first, whatever that does to the others.
func (s *store) heads(now time.Time) []*row {
	var heads []*row
	seen := map[string]*row{}
	worst := map[string]backup.Status{}
	leased := map[string]bool{}
	for _, e := range s.entries {
		if !waiting(e) {
			continue
		}
		key := e.Run.Device.ID
		worst[key] = max(worst[key], e.Run.Status)
		leased[key] = leased[key] || e.until.After(now)
		if seen[key] == nil {
			seen[key] = e
			heads = append(heads, e)
		}
	}
	heads = slices.DeleteFunc(heads, func(e *row) bool { return leased[e.Run.Device.ID] })
	slices.SortStableFunc(heads, func(a, b *row) int {
		return cmp.Compare(worst[b.Run.Device.ID], worst[a.Run.Device.ID])
	})
	return heads
}
