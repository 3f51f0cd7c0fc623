package ledger

import (
	"context"
	"fmt"
)

// Resend queues an entry that is settled once more, with this mail under this
// Message-ID; what is empty stays as it is stored. The entry is named as for
// Entry. ErrWaiting: it is to be sent already; ErrNoMail: none is stored.
func (l *Ledger) Resend(ctx context.Context, name, messageID string, mail []byte) error {
	return l.write(ctx, "resend", func(t transaction) error {
		now, err := t.clock()
		if err != nil {
			return err
		}
		id, err := t.find(name)
		if err != nil {
			return err
		}
		var state State
		var stored bool
		if err := t.row("SELECT state, mail IS NOT NULL FROM entries WHERE id = $1"+l.dialect.lock, id).Scan(&state, &stored); err != nil {
			return err
		}
		if state == Queued || state == Sending {
			return fmt.Errorf("%s: %w", id, ErrWaiting)
		}
		if mail == nil && !stored {
			return fmt.Errorf("%s: %w", id, ErrNoMail)
		}
		_, err = t.exec(`UPDATE entries SET state = $1, reason = '', attempts = 0, next = 0, doubt = 0, mark = '', receipt = '',
			message_id = COALESCE(NULLIF($2, ''), message_id), mail = COALESCE($3, mail), updated = $4 WHERE id = $5`,
			Queued, messageID, mail, now, id)
		if err != nil {
			return err
		}
		return t.event(id, now, "resend", "was "+string(state))
	})
}
