package ledger

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"covebridge/bridge/backup"
)

// Backlog is what waits to be delivered, and what was given up.
type Backlog struct {
	Waiting int
	Oldest  time.Time // when the one that waits longest was queued; zero: none waits
	Failed  int       // given up since the time asked for
	First   time.Time // when the first of them was
	Reason  string    // why the newest of them was
}

// Backlog tells what waits, and what was given up since then.
func (l *Ledger) Backlog(ctx context.Context, since time.Time) (b Backlog, err error) {
	err = l.query(ctx, "look what waits", func(t transaction) error {
		var oldest int64
		err := t.row("SELECT COUNT(*), COALESCE(MIN(created), 0) FROM entries WHERE "+waiting).Scan(&b.Waiting, &oldest)
		if err != nil {
			return err
		}
		b.Oldest = fromMicros(oldest)
		var first int64
		err = t.row("SELECT COUNT(*), COALESCE(MIN(updated), 0) FROM entries WHERE state = 'failed' AND updated >= $1", since).Scan(&b.Failed, &first)
		if err != nil || b.Failed == 0 {
			return err
		}
		b.First = fromMicros(first)
		err = t.row("SELECT reason FROM entries WHERE state = 'failed' AND updated >= $1 ORDER BY ended DESC, id DESC LIMIT 1", since).Scan(&b.Reason)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	return b, err
}

// Ended is what the tallies of runs need to know of one.
type Ended struct {
	End    time.Time
	Status backup.Status
	State  backup.EntryState
	Reason string    // as in backup.Entry
	Sent   time.Time // when it was delivered; zero: it was not
}

// Ended tells of every whole run that ended at or after since, in no order.
// yield must not use the ledger.
func (l *Ledger) Ended(ctx context.Context, since time.Time, yield func(Ended)) error {
	return l.query(ctx, "tally runs", func(t transaction) error {
		return t.each(func(r row) error {
			var e Ended
			var end, sent int64
			if err := r.Scan(&end, &e.Status, &e.State, &e.Reason, &sent); err != nil {
				return err
			}
			e.End, e.Sent = fromMicros(end), fromMicros(sent)
			yield(e)
			return nil
		}, "SELECT ended, status, state, reason, CASE WHEN state = 'sent' THEN settled ELSE 0 END FROM entries WHERE ended >= $1 AND kind = $2", since, string(backup.Whole))
	})
}
