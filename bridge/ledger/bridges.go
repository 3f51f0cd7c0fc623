package ledger

import (
	"context"
	"time"
)

// BridgeReport is what one bridge tells of itself.
type BridgeReport struct {
	Owner string    // the bridge's Ledger.Owner
	Seen  time.Time // when it told so
	Text  string
}

// bridgeRetention is how long it is remembered what a bridge told that tells
// nothing any more.
const bridgeRetention = 24 * time.Hour

// PutReport stores what this bridge tells of itself, in the place of what it told
// before. What others told more than a day ago is dropped.
func (l *Ledger) PutReport(ctx context.Context, text string) error {
	return l.write(ctx, "tell how it is", func(t transaction) error {
		now, err := t.clock()
		if err != nil {
			return err
		}
		if _, err = t.exec("DELETE FROM bridges WHERE seen < $1", now-bridgeRetention.Microseconds()); err != nil {
			return err
		}
		_, err = t.exec(`INSERT INTO bridges (owner, seen, told) VALUES ($1, $2, $3)
			ON CONFLICT (owner) DO UPDATE SET seen = excluded.seen, told = excluded.told`, l.owner, now, text)
		return err
	})
}

// Bridges gives what each bridge told last, the newest first.
func (l *Ledger) Bridges(ctx context.Context) (all []BridgeReport, err error) {
	err = l.query(ctx, "list bridges", func(t transaction) error {
		return t.each(func(r row) error {
			var b BridgeReport
			var seen int64
			err := r.Scan(&b.Owner, &seen, &b.Text)
			b.Seen = fromMicros(seen)
			all = append(all, b)
			return err
		}, "SELECT owner, seen, told FROM bridges ORDER BY seen DESC, owner")
	})
	return all, err
}
