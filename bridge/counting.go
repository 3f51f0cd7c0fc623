package bridge

import (
	"context"
	"slices"

	"covebridge/bridge/backup"
	"covebridge/bridge/collect"
	"covebridge/bridge/web"
)

// countingJournals is collect's journals, with what is queued counted.
type countingJournals struct {
	collect.Journals
	metrics *web.Metrics
}

// Commit counts the runs that it queued.
func (c countingJournals) Commit(ctx context.Context, steps []backup.Step) (stale []int, err error) {
	stale, err = c.Journals.Commit(ctx, steps)
	if err != nil {
		return stale, err
	}
	for i, step := range steps {
		if slices.Contains(stale, i) {
			continue
		}
		for _, e := range step.Entries {
			if e.State == backup.EntryQueued {
				c.metrics.Queued(e.Run.Status.String())
			}
		}
	}
	return stale, nil
}
