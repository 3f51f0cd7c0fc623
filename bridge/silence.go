package bridge

import (
	"context"
	"slices"

	"covebridge/bridge/backup"
	"covebridge/bridge/ledger"
)

// silence queues a mail about a device that has not finished a session for
// longer than its type's limit, and one more, as Failed, at three times the
// limit: each once for a period of silence, which a new session ends.
func (b *Bridge) silence(ctx context.Context, d ledger.Device, snap backup.Snapshot, p *Polled) error {
	limit := b.Silence[d.Type]
	if limit == 0 {
		return nil
	}
	run := backup.Run{Kind: backup.Silence, Device: d.Device, Status: backup.Warning, Start: d.Created, End: snap.At, Limit: limit}
	if run.Start.IsZero() {
		run.Start = d.First
	}
	for _, s := range snap.Sessions {
		last, found, err := b.Ledger.Before(ctx, d.Key(), s.Source.Key, snap.At)
		if err != nil {
			return err
		}
		if !found || slices.ContainsFunc(run.Last, func(l backup.Session) bool { return l.Row == last.Row }) {
			continue
		}
		run.Last = append(run.Last, last)
		if last.End.After(run.Start) {
			run.Start = last.End
		}
	}
	quiet := snap.At.Sub(run.Start)
	if quiet <= limit {
		return nil
	}
	if quiet > 3*limit {
		run.Kind, run.Status = backup.LongSilence, backup.Failed
	}
	run.ID = backup.Identity(d.Device, nil, run.Start, run.Kind)
	if told, err := b.Ledger.State(ctx, run.ID); err != nil || told != "" {
		return err
	}
	return b.queue(ctx, d, run, p)
}
