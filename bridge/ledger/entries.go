package ledger

import (
	"context"
	"fmt"
	"strings"

	"covebridge/bridge/backup"
)

// packedEntry is an entry made ready to be stored.
type packedEntry struct {
	backup.Entry
	words     string
	run, mail []byte // packed; mail nil: none
}

func packEntry(e backup.Entry) (p packedEntry, err error) {
	switch {
	case e.State == backup.EntryQueued && e.Mail == nil:
		return p, ErrNoMail
	case e.State != backup.EntryQueued && e.State != backup.EntryFiltered && e.State != backup.EntryBaseline && e.State != backup.EntryFailed:
		return p, fmt.Errorf("a run can't begin in state %q", e.State)
	}
	p = packedEntry{Entry: e, words: searchText(e)}
	if e.Mail != nil {
		p.mail = pack(e.Mail)
	}
	p.run, err = packJSON(e.Run)
	return p, err
}

// currentOpening is what an entry is stamped with, see Take.
const currentOpening = "(SELECT number FROM openings)"

// insert stores a new entry; false: it is there already, and stays as it is.
func (t transaction) insert(device string, e packedEntry, now int64) (bool, error) {
	var settled int64
	if e.State == backup.EntryFiltered || e.State == backup.EntryBaseline {
		settled = now
	}
	n, err := t.exec(`INSERT INTO entries (id, device, account, kind, status, ended, message_id, words, created,
			state, reason, doubt, mark, receipt, attempts, next, opening, settled, updated)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, '', '', 0, 0, `+currentOpening+`, $13, $9)
		ON CONFLICT (id) DO NOTHING`,
		e.Run.ID, device, e.Account, string(e.Run.Kind), int64(e.Run.Status), e.Run.End, e.MessageID, e.words, now,
		e.State, e.Reason, e.Doubt, settled)
	if err != nil || n == 0 {
		return false, err
	}
	if err := t.store(e); err != nil {
		return false, err
	}
	return true, t.event(e.Run.ID, now, string(e.State), e.Reason)
}

// addEntries stores a device's new entries, and puts those that are to be sent into its
// queue. What is there already stays as it is.
func (t transaction) addEntries(device string, entries []packedEntry, now int64) error {
	var queued []packedEntry
	for _, e := range entries {
		isNew, err := t.insert(device, e, now)
		if err != nil {
			return fmt.Errorf("run %s: %w", e.Run.ID, err)
		}
		if isNew && e.State == backup.EntryQueued {
			queued = append(queued, e)
		}
	}
	return t.enqueue(device, queued, now)
}

// store keeps the entry's run and mail, in the place of earlier ones.
func (t transaction) store(e packedEntry) error {
	_, err := t.exec(`INSERT INTO runs (entry, run) VALUES ($1, $2)
		ON CONFLICT (entry) DO UPDATE SET run = excluded.run`, e.Run.ID, e.run)
	if err != nil || e.mail == nil {
		return err
	}
	_, err = t.exec(`INSERT INTO mails (entry, mail) VALUES ($1, $2)
		ON CONFLICT (entry) DO UPDATE SET mail = excluded.mail`, e.Run.ID, e.mail)
	return err
}

const (
	entryColumns = `e.account, e.state, e.reason, e.message_id, e.doubt, e.mark, e.receipt, e.attempts, e.next,
		e.created, e.updated, r.run`
	entryTables = " FROM entries e JOIN runs r ON r.entry = e.id "
)

// scanEntry reads entryColumns, and what more the query gives.
func scanEntry(r row, more ...any) (e backup.Entry, err error) {
	var run []byte
	var next, created, updated int64
	err = r.Scan(append([]any{&e.Account, &e.State, &e.Reason, &e.MessageID, &e.Doubt, &e.Mark, &e.Receipt, &e.Attempts,
		&next, &created, &updated, &run}, more...)...)
	if err != nil {
		return e, err
	}
	e.Next, e.Created, e.Updated = fromMicros(next), fromMicros(created), fromMicros(updated)
	return e, unpackJSON("run of "+e.MessageID, run, &e.Run)
}

// loadEntry reads the entry with its mail, and the opening that it is stamped with.
func (t transaction) loadEntry(id string) (e backup.Entry, opening int64, err error) {
	var mail []byte
	e, err = scanEntry(t.row("SELECT "+entryColumns+", e.opening, m.mail"+entryTables+
		"LEFT JOIN mails m ON m.entry = e.id WHERE e.id = $1", id), &opening, &mail)
	if err == nil && mail != nil {
		e.Mail, err = unpack(mail)
	}
	return e, opening, err
}

// searchText is what Query.Text is searched in.
func searchText(e backup.Entry) string {
	d := e.Run.Device
	return strings.ToLower(strings.Join([]string{e.Run.ID, e.Run.Job, d.Name, d.Alias, d.Computer, d.Customer, strings.Join(d.CustomerPath, "\n")}, "\n"))
}

// Queue stores a mail of the bridge's own, beside those of devices. One whose id
// is there already is left as it is.
func (l *Ledger) Queue(ctx context.Context, e backup.Entry) error {
	packed, err := packEntry(e)
	if err != nil {
		return l.explain("queue a mail", fmt.Errorf("run %s: %w", e.Run.ID, err))
	}
	return l.write(ctx, "queue a mail", func(t transaction) error {
		now, err := t.clock()
		if err != nil {
			return err
		}
		return t.addEntries(e.Run.Device.Key(), []packedEntry{packed}, now)
	})
}
