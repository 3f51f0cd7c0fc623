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
}

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
	for part := range parts {
		e := b.sweepPart(src, part, part == parts-1)
		swept, err := b.marked(ctx, e.name)
		if err != nil {
			return nil, err
		}
		if force || clock.Before(swept) || clock.Sub(swept) >= b.Sweep {
			errands = append(errands, e)
		}
	}
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
