package ledger

import (
	"context"
	"time"

	"covebridge/bridge/backup"
)

// Prune drops what nobody needs any more of the time before: the mails of
// entries settled by then (the run is kept, so that the mail can be rendered
// again), audit trails, and sessions that are in a run and not the newest of
// their data source. Entries stay for good, for their ids are what keeps a mail
// from being sent twice; open sessions stay; of what is waiting or failed
// nothing is dropped.
//
// Not to be called after a failed poll: what the product can't tell now may be
// what is about to be dropped.
func (l *Ledger) Prune(ctx context.Context, before time.Time) error {
	return l.write(ctx, "drop what is old", func(t transaction) error {
		_, err := t.exec(`UPDATE entries SET mail = NULL
			WHERE state IN ('sent', 'filtered', 'baseline') AND updated < $1 AND mail IS NOT NULL`, before)
		if err != nil {
			return err
		}
		_, err = t.exec(`DELETE FROM events WHERE at < $1 AND EXISTS (
			SELECT 1 FROM entries e WHERE e.id = events.entry AND e.state IN ('sent', 'filtered', 'baseline'))`, before)
		if err != nil {
			return err
		}
		_, err = t.exec(`DELETE FROM sessions WHERE run IS NOT NULL AND state = $2 AND started < $1 AND ended < $1 AND EXISTS (
			SELECT 1 FROM sessions n WHERE n.device = sessions.device AND n.source = sessions.source AND n.started > sessions.started)`,
			before, string(backup.Ended))
		return err
	})
}
