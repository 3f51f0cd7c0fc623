package deliver

import (
	"context"
	"errors"
	"time"

	"covebridge/bridge/backup"
)

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
