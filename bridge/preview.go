package bridge

import (
	"context"
	"slices"

	"covebridge/bridge/backup"
	"covebridge/bridge/ledger"
)

// Preview polls every account and gives the mails that a first start would
// deliver, oldest first. Give it a ledger in memory: it is then as if it had
// never been.
func (b *Bridge) Preview(ctx context.Context, yield func(backup.Entry) error) error {
	for _, src := range b.Sources {
		if _, err := b.poll(ctx, src, true); err != nil {
			return err
		}
	}
	entries, err := b.Ledger.Entries(ctx, ledger.Query{State: backup.EntryQueued})
	if err != nil {
		return err
	}
	for _, e := range slices.Backward(entries) {
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
