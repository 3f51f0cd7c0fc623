package bridge

import (
	"context"
	"errors"
	"fmt"

	"covebridge/bridge/ledger"
)

// Resend queues a run once more, whatever became of it. Its mail keeps its
// Message-ID; where there is none yet, it is made now.
func (b *Bridge) Resend(ctx context.Context, name string) (ledger.Entry, error) {
	e, _, err := b.Ledger.Entry(ctx, name)
	if err != nil {
		return e, err
	}
	if len(e.Mail) == 0 {
		if e.Run.Job, err = b.Job.Name(e.Run); err != nil {
			return e, fmt.Errorf("job.name: %w", err)
		}
		if b.render(&e); len(e.Mail) == 0 {
			return e, errors.New(e.Reason)
		}
	}
	e.Doubt = false // it is wanted again though it may be there
	return e, b.Ledger.Resend(ctx, e)
}

// Drain delivers what is due, then ends: for what Resend or Backfill queued.
func (b *Bridge) Drain(ctx context.Context) Delivered {
	done := make(chan struct{})
	close(done)
	return b.deliver(ctx, done)
}
