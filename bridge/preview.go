package bridge

import (
	"context"
	"slices"
	"strings"

	"covebridge/bridge/backup"
	"covebridge/bridge/collect"
	"covebridge/bridge/ledger"
)

// PreviewOptions says which mails a preview gives.
type PreviewOptions struct {
	Device string // part of the device's name, in any case; empty: all
	Limit  int    // at most so many; 0: all
}

// Preview polls every account and gives the mails that a first start would
// deliver, oldest first. With a limit it stops asking once it has so many, which
// are then not the oldest of all. Give it a ledger in memory: it is then as if
// it had never been.
func (b *Bridge) Preview(ctx context.Context, w PreviewOptions, yield func(backup.Entry) error) error {
	polls, cancel := context.WithCancel(ctx)
	defer cancel()
	b.collector.OnQueued = func() {
		if counts, err := b.Ledger.Counts(ctx); err == nil && w.Limit > 0 && counts[backup.EntryQueued] >= w.Limit {
			cancel()
		}
	}
	for _, src := range b.Sources {
		if w.Device != "" {
			src = nameFilter{src, strings.ToLower(w.Device)}
		}
		if _, err := b.poll(polls, src, true); err != nil && polls.Err() == nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	entries, err := b.Ledger.Entries(ctx, ledger.Query{State: backup.EntryQueued})
	if err != nil {
		return err
	}
	shown := 0
	for _, e := range slices.Backward(entries) {
		if shown++; w.Limit > 0 && shown > w.Limit {
			break
		}
		whole, _, err := b.Ledger.Entry(ctx, e.Run.ID)
		if err != nil {
			return err
		}
		if err := yield(whole); err != nil {
			return err
		}
	}
	return nil
}

// nameFilter shows the devices that have a text in their names; others are not even
// looked at.
type nameFilter struct {
	Source
	text string
}

// Devices is collect.Source's.
func (o nameFilter) Devices(ctx context.Context, sel backup.Selection, yield func(backup.Row) error) error {
	sel.OnTotal = nil // how many of them are wanted is not known
	return o.Source.Devices(ctx, sel, func(r backup.Row) error {
		if !strings.Contains(strings.ToLower(r.Snapshot().Device.Name), o.text) {
			return ctx.Err()
		}
		return yield(r)
	})
}

var _ collect.Source = nameFilter{}
