package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"covebridge/bridge/backup"
)

// Query says which entries are wanted; what is zero does not matter.
type Query struct {
	Device  string // backup.Device.Key
	Account string
	State   backup.EntryState
	Kind    backup.Kind
	Since   time.Time // the run ended at or after it
	Until   time.Time // the run ended before it
	Text    string    // part of the run's id, or of a name of device, job or customer, in any case
	// Customer is the whole name of the customer, in any case. A device or job of
	// that name is found too.
	Customer string
	Status   *backup.Status
	Before   Cursor // only what comes behind it in the list
	Limit    int
}

// Cursor is a place in a list of entries: that of the entry with this end and id.
type Cursor struct {
	End time.Time
	ID  string
}

// where gives the condition on entries e, with its arguments from $1 on.
func (q Query) where() (condition string, args []any) {
	condition = "TRUE"
	and := func(more string, arg any) {
		args = append(args, arg)
		condition += fmt.Sprintf(" AND "+more, len(args))
	}
	if q.Device != "" {
		and("e.device = $%d", q.Device)
	}
	if q.Account != "" {
		and("e.account = $%d", q.Account)
	}
	if q.State != "" {
		and("e.state = $%d", q.State)
	}
	if q.Kind != "" {
		and("e.kind = $%d", string(q.Kind))
	}
	if !q.Since.IsZero() {
		and("e.ended >= $%d", q.Since)
	}
	if !q.Until.IsZero() {
		and("e.ended < $%d", q.Until)
	}
	if q.Text != "" {
		and(`e.words LIKE $%d ESCAPE '\'`, "%"+literal(q.Text)+"%")
	}
	if q.Customer != "" { // each name is a line of its own
		and(`e.words LIKE $%d ESCAPE '\'`, "%\n"+literal(q.Customer)+"\n%")
	}
	if q.Status != nil {
		and("e.status = $%d", int64(*q.Status))
	}
	if q.Before.ID != "" {
		args = append(args, q.Before.End, q.Before.ID)
		condition += fmt.Sprintf(" AND (e.ended, e.id) < ($%d, $%d)", len(args)-1, len(args))
	}
	return condition, args
}

// literal is a text for LIKE in which no sign stands for others.
func literal(text string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(strings.ToLower(text))
}

// Entries lists entries without their mails, the newest end first.
func (l *Ledger) Entries(ctx context.Context, q Query) (found []backup.Entry, err error) {
	where, args := q.where()
	query := "SELECT " + entryColumns + entryTables + "WHERE " + where + " ORDER BY e.ended DESC, e.id DESC"
	if q.Limit > 0 {
		args = append(args, q.Limit)
		query += fmt.Sprintf(" LIMIT $%d", len(args))
	}
	err = l.query(ctx, "list runs", func(t transaction) error {
		return t.each(func(r row) error {
			e, err := scanEntry(r)
			found = append(found, e)
			return err
		}, query, args...)
	})
	return found, err
}

// Entry gives one entry with its mail and its audit trail, oldest first. It is
// named by the run's id, by the start of it that no other has, or by the
// Message-ID. ErrUnknown, ErrAmbiguous.
func (l *Ledger) Entry(ctx context.Context, name string) (e backup.Entry, events []Event, err error) {
	err = l.read(ctx, "read run", func(t transaction) error {
		id, err := t.find(name)
		if err != nil {
			return err
		}
		if e, _, err = t.loadEntry(id); err != nil {
			return err
		}
		events, err = t.events(id)
		return err
	})
	return e, events, err
}

// State gives the state of the entry with exactly this id; empty: there is none.
func (l *Ledger) State(ctx context.Context, id string) (state backup.EntryState, err error) {
	err = l.query(ctx, "read run "+id, func(t transaction) error {
		err := t.row("SELECT state FROM entries WHERE id = $1", id).Scan(&state)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	return state, err
}

// find gives the id of the entry that is meant.
func (t transaction) find(name string) (id string, err error) {
	message := strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(name), "<"), ">")
	err = t.row("SELECT id FROM entries WHERE id = $1 OR message_id = $2 ORDER BY id = $1 DESC LIMIT 1", name, message).Scan(&id)
	if err == nil || !errors.Is(err, sql.ErrNoRows) {
		return id, err
	}
	var ids []string
	err = t.each(func(r row) error {
		err := r.Scan(&id)
		ids = append(ids, id)
		return err
	}, "SELECT id FROM entries WHERE SUBSTR(id, 1, LENGTH($1)) = $1 LIMIT 2", name)
	switch {
	case err != nil:
		return "", err
	case len(ids) == 0 || name == "":
		return "", fmt.Errorf("%q: %w: `covebridge history` lists the runs", name, ErrUnknown)
	case len(ids) > 1:
		return "", fmt.Errorf("%q: %w", name, ErrAmbiguous)
	}
	return ids[0], nil
}

// Counts tells how many entries are in each state.
func (l *Ledger) Counts(ctx context.Context) (map[backup.EntryState]int, error) {
	counts := map[backup.EntryState]int{}
	err := l.query(ctx, "count runs", func(t transaction) error {
		return t.each(func(r row) error {
			var s backup.EntryState
			var n int
			err := r.Scan(&s, &n)
			counts[s] = n
			return err
		}, "SELECT state, COUNT(*) FROM entries GROUP BY state")
	})
	return counts, err
}
