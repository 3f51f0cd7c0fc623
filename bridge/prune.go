package bridge

import (
	"context"
	"fmt"
	"time"
)

const (
	// memory is how long the ledger keeps mails, audit trails and old sessions.
	memory = 90 * day
	// reach is how long after its end a run can still be found and sent by a
	// poll. It is shorter than memory, so that no session is taken for a new one
	// because it was forgotten.
	reach = 60 * day
)

// prune forgets, once a day, what is older than memory. It follows a sweep that
// went well: after one that failed, old entries may be all there is.
func (b *Bridge) prune(ctx context.Context, clock time.Time) error {
	last, err := b.marked(ctx, "pruned")
	if err != nil || clock.Sub(last) < day {
		return err
	}
	if err := b.Ledger.Prune(ctx, clock.Add(-memory)); err != nil {
		return fmt.Errorf("prune the ledger: %w", err)
	}
	return b.mark(ctx, "pruned", clock)
}
