package bridge

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"covebridge/bridge/backup"
)

// maxOpen is how many devices with unfinished runs a poll asks for by their
// ids; with more of them it reads every device.
const maxOpen = 500

// errand is a part of a poll that one bridge does alone.
type errand struct {
	name string // of its lease, and of the mark that a sweep leaves
	sel  backup.Selection
	part int
	last bool // as far as is known
	// seen is when all devices of the account had last been read, or else when
	// it was first polled: one that is new now has no news from before.
	seen time.Time
}

// sweep tells whether it reads devices whether or not they changed.
func (e errand) sweep() bool { return e.sel.Since == 0 }

// sweepPart is one part of reading all devices.
func (b *Bridge) sweepPart(src Source, part int, last bool) errand {
	e := errand{name: fmt.Sprintf("sweep %s %d", src.Name(), part), part: part, last: last}
	if b.Ledger.Shared() {
		e.sel = backup.Selection{From: int64(part) * b.Part, Count: b.Part}
	}
	return e
}

// plan says what a poll has to do: the parts of the sweep that are due or
// forced, and, where that is not everything, a look at what changed.
func (b *Bridge) plan(ctx context.Context, src Source, clock time.Time, force bool) (errands []errand, err error) {
	parts := 1
	if b.Ledger.Shared() {
		text, err := b.Ledger.Value(ctx, "parts "+src.Name())
		if err != nil {
			return nil, err
		}
		if n, err := strconv.Atoi(text); err == nil {
			parts = max(n, 1)
		}
	}
	seen := clock
	for part := range parts {
		e := b.sweepPart(src, part, part == parts-1)
		swept, err := b.marked(ctx, e.name)
		if err != nil {
			return nil, err
		}
		if swept.Before(seen) {
			seen = swept
		}
		if force || clock.Before(swept) || clock.Sub(swept) >= b.Sweep {
			errands = append(errands, e)
		}
	}
	if seen.IsZero() {
		if seen, err = b.began(ctx, src, clock); err != nil {
			return nil, err
		}
	}
	defer func() {
		for i := range errands {
			errands[i].seen = seen
		}
	}()
	if len(errands) == parts {
		return errands, nil
	}
	last, err := b.marked(ctx, "polled "+src.Name())
	if err != nil {
		return nil, err
	}
	open, err := b.Ledger.OpenDevices(ctx, src.Name())
	if err != nil {
		return nil, err
	}
	// An hour more than needed: what the time stamp means is not settled.
	news := errand{name: "poll " + src.Name(), sel: backup.Selection{Since: clock.Sub(last) + time.Hour}}
	if clock.Before(last) || len(open) > maxOpen {
		news.sel.Since = 0
	}
	for _, d := range open {
		news.sel.IDs = append(news.sel.IDs, d.ID)
	}
	return append(errands, news), nil
}

// began tells when the account was first polled, if only in vain.
func (b *Bridge) began(ctx context.Context, src Source, clock time.Time) (time.Time, error) {
	name := "began " + src.Name()
	began, err := b.marked(ctx, name)
	if err != nil || !began.IsZero() {
		return began, err
	}
	return clock, b.mark(ctx, name, clock)
}

// mark remembers when something was done, by the product's clock.
func (b *Bridge) mark(ctx context.Context, name string, clock time.Time) error {
	return b.Ledger.SetValue(ctx, name, clock.UTC().Format(time.RFC3339))
}

// marked tells when it was done; the zero time: never.
func (b *Bridge) marked(ctx context.Context, name string) (time.Time, error) {
	text, err := b.Ledger.Value(ctx, name)
	if err != nil || text == "" {
		return time.Time{}, err
	}
	return time.Parse(time.RFC3339, text)
}
