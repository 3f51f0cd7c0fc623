package world

import (
	"cmp"
	"context"
	"errors"
	"time"

	"covebridge/bridge"
	"covebridge/bridge/backup"
	"covebridge/bridge/ledger"
)

var (
	errDisk   = errors.New("disk full")
	errAnswer = errors.New("the connection broke at the commit")
)

// disk is the ledger as one bridge sees it: a call fails where the bridge is
// dead, waits where it is paused, and goes wrong as the plan says.
type disk struct {
	plan  Plan
	epoch time.Time
	*processLife
	*ledger.Ledger
}

func (d *disk) during(kind Trouble) bool { return d.plan.during(time.Since(d.epoch), kind, -1) }

// write does something to the ledger, if the disk lets it: a full one fails
// within the ledger, as a transaction that can't begin.
func (d *disk) write(ctx context.Context, do func(context.Context) error) error {
	if err := d.pass(ctx, time.Millisecond); err != nil {
		return err
	}
	if d.during(DiskFull) {
		failing, cancel := context.WithCancel(ctx)
		cancel()
		return cmp.Or(do(failing), errDisk)
	}
	return do(ctx)
}

// lie is write, where what stands may be told as failed.
func (d *disk) lie(ctx context.Context, do func(context.Context) error) error {
	err := d.write(ctx, do)
	if err == nil && d.during(LyingDisk) {
		return errAnswer
	}
	return err
}

// Load fails where the bridge is dead.
func (d *disk) Load(ctx context.Context, key string) (backup.Record, error) {
	if err := d.pass(ctx, 0); err != nil {
		return backup.Record{}, err
	}
	return d.Ledger.Load(ctx, key)
}

// Commit commits as the disk lets it.
func (d *disk) Commit(ctx context.Context, steps []backup.Step) (stale []int, err error) {
	err = d.lie(ctx, func(ctx context.Context) error {
		stale, err = d.Ledger.Commit(ctx, steps)
		return err
	})
	return stale, err
}

// SetValue writes as the disk lets it.
func (d *disk) SetValue(ctx context.Context, name, value string) error {
	return d.lie(ctx, func(ctx context.Context) error { return d.Ledger.SetValue(ctx, name, value) })
}

// outbox is the outbox side of a disk.
type outbox struct {
	*disk
	bridge.Outbox
}

// Take takes as the disk lets it.
func (o outbox) Take(ctx context.Context, n int) (entries []backup.Entry, err error) {
	err = o.write(ctx, func(ctx context.Context) error {
		entries, err = o.Outbox.Take(ctx, n)
		return err
	})
	if err != nil {
		return nil, err
	}
	return entries, nil
}

// Begin begins as the disk lets it.
func (o outbox) Begin(ctx context.Context, ids []string, mark string) (lost []string, err error) {
	err = o.write(ctx, func(ctx context.Context) error {
		lost, err = o.Outbox.Begin(ctx, ids, mark)
		return err
	})
	return lost, err
}

// Record records as the disk lets it.
func (o outbox) Record(ctx context.Context, outcomes []backup.Outcome) error {
	return o.lie(ctx, func(ctx context.Context) error { return o.Outbox.Record(ctx, outcomes) })
}

// Renew renews as the disk lets it.
func (o outbox) Renew(ctx context.Context) error {
	return o.write(ctx, func(ctx context.Context) error { return o.Outbox.Renew(ctx) })
}

// Release gives back what was taken, unless the bridge is dead.
func (o outbox) Release(ctx context.Context) error {
	return o.write(ctx, func(ctx context.Context) error { return o.Outbox.Release(ctx) })
}

// NextDue fails where the bridge is dead.
func (o outbox) NextDue(ctx context.Context) (time.Duration, bool, error) {
	if err := o.pass(ctx, 0); err != nil {
		return 0, false, err
	}
	return o.Outbox.NextDue(ctx)
}

// LeaseTime is the ledger's.
func (o outbox) LeaseTime() time.Duration { return o.Outbox.LeaseTime() }
