package ledger

import (
	"context"
	"slices"
	"time"
)

// pruneBatch is how many entries one transaction prunes: some ten
// milliseconds of the writer's time on a machine at rest.
const pruneBatch = 50

// Prune drops what nobody needs any more of the entries settled before then:
// their mails (the run is kept, so that the mail can be rendered again) and
// their audit trails. Entries stay for good, for their ids are what keeps a
// mail from being sent twice; of what is waiting or failed nothing is dropped.
//
// It works in small transactions, so that others get their turn, and finds by
// an index what there is to drop, so that it costs nothing where that is nothing.
func (l *Ledger) Prune(ctx context.Context, before time.Time) error {
	for {
		done := true
		err := l.write(ctx, "drop what is old", func(t transaction) error {
			var ids []string
			err := t.each(func(r row) error {
				var id string
				err := r.Scan(&id)
				ids = append(ids, id)
				return err
			}, "SELECT id FROM entries WHERE settled <> 0 AND settled < $1 ORDER BY settled LIMIT $2"+t.l.dialect.skip, before, pruneBatch)
			if err != nil {
				return err
			}
			done = len(ids) < pruneBatch
			slices.Sort(ids) // near each other in the tables
			for _, id := range ids {
				for _, query := range []string{
					"DELETE FROM mails WHERE entry = $1",
					"DELETE FROM events WHERE entry = $1",
					"UPDATE entries SET settled = 0 WHERE id = $1",
				} {
					if _, err := t.exec(query, id); err != nil {
						return err
					}
				}
			}
			return nil
		})
		if err != nil || done {
			return err
		}
	}
}
