package deliver

import (
	"cmp"
	"context"
	"errors"
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

// outbox is one bridge's view of a store. fault can make it fail or hang.
type outbox struct {
	*store
	owner string
	fault func(ctx context.Context, op string) error
	late  func(op string) error // makes it fail though it has worked
	calls map[string]int
	held  map[string]bool // what it knows that it took
}

func (s *store) of(owner string) *outbox {
	return &outbox{store: s, owner: owner, calls: map[string]int{}, held: map[string]bool{}}
}

func (o *outbox) enter(ctx context.Context, op string) error {
	o.mu.Lock()
	o.calls[op]++
	fault := o.fault
	o.mu.Unlock()
	if fault != nil {
		if err := fault(ctx, op); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// leave ends a call that has worked.
func (o *outbox) leave(op string) error {
	if o.late == nil {
		return nil
	}
	return o.late(op)
}

func (o *outbox) called(op string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.calls[op]
}

func (o *outbox) setFault(f func(ctx context.Context, op string) error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.fault = f
}

func (o *outbox) Take(ctx context.Context, n int) (taken []backup.Entry, err error) {
	if err := o.enter(ctx, "take"); err != nil {
		return nil, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	now := time.Now()
	for _, e := range o.heads(now) {
		if len(taken) == n {
			break
		}
		if e.State == backup.EntryQueued && e.Next.After(now) {
			continue
		}
		if e.State == backup.EntrySending {
			e.Doubt = true
		}
		e.owner, e.until = o.owner, now.Add(o.lease)
		taken = append(taken, e.Entry)
	}
	if err := o.leave("take"); err != nil {
		return nil, err
	}
	for _, e := range taken {
		o.held[e.Run.ID] = true
	}
	return taken, nil
}

func (o *outbox) ours(id string) bool {
	e := o.get(id)
	return waiting(e) && e.owner == o.owner && e.until.After(time.Now())
}

func (o *outbox) Begin(ctx context.Context, ids []string, mark string) (lost []string, err error) {
	if err := o.enter(ctx, "begin"); err != nil {
		return nil, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, id := range ids {
		if !o.ours(id) {
			lost = append(lost, id)
			delete(o.held, id)
			continue
		}
		e := o.get(id)
		e.State = backup.EntrySending
		if !e.Doubt || e.Mark == "" {
			e.Mark = mark
		}
	}
	return lost, o.leave("begin")
}

func (o *outbox) Record(ctx context.Context, outcomes []backup.Outcome) error {
	if err := o.enter(ctx, "record"); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, out := range outcomes {
		e := o.get(out.ID)
		delete(o.held, out.ID)
		if out.State != backup.EntrySent && e.owner != o.owner {
			continue
		}
		o.events = append(o.events, out.ID+": "+string(out.State))
		if e.State == backup.EntrySent {
			continue // the first receipt stands
		}
		e.State, e.owner, e.until, e.Doubt = out.State, "", time.Time{}, out.Doubt
		e.Reason, e.Next = out.Detail, time.Now().Add(out.After)
		if out.State == backup.EntrySent {
			e.Reason, e.Receipt = "", out.Detail
		}
		if out.Counts {
			e.Attempts++
		}
		if !out.Doubt {
			e.Mark = ""
		}
	}
	return o.leave("record")
}

func (o *outbox) NextDue(ctx context.Context) (wait time.Duration, some bool, err error) {
	if err := o.enter(ctx, "due"); err != nil {
		return 0, false, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	wait = time.Hour
	for _, e := range o.heads(time.Now()) {
		some = true
		wait = min(wait, max(time.Until(e.Next), 0))
	}
	return wait, some, nil
}

func (o *outbox) Renew(ctx context.Context) error {
	if err := o.enter(ctx, "renew"); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, e := range o.entries {
		if waiting(e) && e.owner == o.owner && o.held[e.Run.ID] {
			e.until = time.Now().Add(o.lease)
		}
	}
	return nil
}

func (o *outbox) Release(ctx context.Context) error {
	if err := o.enter(ctx, "release"); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, e := range o.entries {
		if e.State == backup.EntryQueued && e.owner == o.owner {
			e.owner, e.until = "", time.Time{}
		}
	}
	return nil
}

func (o *outbox) LeaseTime() time.Duration { return o.lease }

var errDisk = errors.New("database or disk is full (13)")
