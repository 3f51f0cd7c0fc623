package bridge

import (
	"context"

	"covebridge/bridge/backup"
	"covebridge/bridge/collect"
	"covebridge/bridge/ledger"
)

// Resend queues a run once more, whatever became of it. Its mail keeps its
// Message-ID; where there is none yet, it is made now.
func (b *Bridge) Resend(ctx context.Context, name string) (backup.Entry, error) {
	e, _, err := b.Ledger.Entry(ctx, name)
	if err != nil {
		return e, err
	}
	if len(e.Mail) == 0 {
		if err := b.collector.Rerender(&e); err != nil {
			return e, err
		}
	}
	e.Doubt = false // it is wanted again though it may be there
	err = b.Ledger.Resend(ctx, e)
	b.deliverer.Wake()
	return e, err
}

// ResendFailed queues once more all failed runs of a query, also those that
// could not be rendered, if they can by now. It tells how many, and of the first
// that can't be.
func (b *Bridge) ResendFailed(ctx context.Context, q ledger.Query) (n int, err error) {
	if n, err = b.Ledger.ResendFailed(ctx, q); err != nil {
		return n, err
	}
	q.State = backup.EntryFailed
	left, err := b.Ledger.Entries(ctx, q)
	if err != nil {
		return n, err
	}
	var first error
	for _, e := range left {
		switch _, err := b.Resend(ctx, e.Run.ID); {
		case err == nil:
			n++
		case first == nil:
			first = err
		}
	}
	return n, first
}

// Backfill queues the runs of a span that were never sent, for all accounts.
func (b *Bridge) Backfill(ctx context.Context, span collect.Span, report func(collect.Progress)) (int, error) {
	return b.collector.Backfill(ctx, span, report)
}
