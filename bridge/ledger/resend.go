package ledger

import (
	"context"
	"encoding/json"
	"fmt"
)

// Resend queues an entry that is settled once more, as it is given: with its
// run, its mail and its doubt. One that waits for its next try is due at once.
// ErrUnknown; ErrWaiting: it is being sent; ErrNoMail: there is nothing to send.
func (l *Ledger) Resend(ctx context.Context, e Entry) error {
	if len(e.Mail) == 0 {
		return fmt.Errorf("resend %s: %w", e.Run.ID, ErrNoMail)
	}
	return l.write(ctx, "resend "+e.Run.ID, func(t transaction) error {
		now, err := t.clock()
		if err != nil {
			return err
		}
		var state State
		if err := t.row("SELECT state FROM entries WHERE id = $1"+l.dialect.lock, e.Run.ID).Scan(&state); err != nil {
			return known(e.Run.ID, err)
		}
		switch state {
		case Sending:
			return fmt.Errorf("%s: %w", e.Run.ID, ErrWaiting)
		case Queued:
			if _, err := t.exec("UPDATE entries SET attempts = 0, next = 0, updated = $1 WHERE id = $2", now, e.Run.ID); err != nil {
				return err
			}
			return t.event(e.Run.ID, now, "resend", "due at once")
		}
		run, err := json.Marshal(e.Run)
		if err != nil {
			return err
		}
		_, err = t.exec(`UPDATE entries SET state = $1, reason = '', attempts = 0, next = 0, doubt = $2, mark = '', receipt = '',
			message_id = $3, status = $4, words = $5, run = $6, mail = $7, updated = $8 WHERE id = $9`,
			Queued, e.Doubt, e.MessageID, int64(e.Run.Status), words(e), string(run), e.Mail, now, e.Run.ID)
		if err != nil {
			return err
		}
		return t.event(e.Run.ID, now, "resend", "was "+string(state))
	})
}
