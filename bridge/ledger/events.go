package ledger

import "time"

// Event is one line of an entry's audit trail.
type Event struct {
	At     time.Time
	What   string // the state it came to, or "retry", "taken over", "resend"
	Detail string // the mark, the receipt, the cause, the rule
}

// event writes one line, in the transaction that makes the change.
func (t transaction) event(entry string, at int64, what, detail string) error {
	_, err := t.exec(`INSERT INTO events (entry, number, at, what, detail)
		VALUES ($1, (SELECT COALESCE(MAX(number), 0) + 1 FROM events WHERE entry = $1), $2, $3, $4)`, entry, at, what, detail)
	return err
}

func (t transaction) events(entry string) (all []Event, err error) {
	err = t.each(func(r row) error {
		var e Event
		var at int64
		err := r.Scan(&at, &e.What, &e.Detail)
		e.At = fromMicros(at)
		all = append(all, e)
		return err
	}, "SELECT at, what, detail FROM events WHERE entry = $1 ORDER BY number", entry)
	return all, err
}
