package ledger

import (
	"context"
	"database/sql"
	_ "embed"
	"encoding/json"
	"fmt"

	"covebridge/bridge/backup"
)

//go:embed migrations/journals.sql
var journalsSchema string

// migrateBatch is how many rows of the first edition are in memory at a time.
const migrateBatch = 200

// migrateJournals brings a ledger of the first edition over, in one transaction:
// each device's sessions become its journal, runs and mails get tables of their
// own, and what waits gets its queue.
func (l *Ledger) migrateJournals(ctx context.Context, tx *sql.Tx) error {
	t := transaction{ctx, tx, nil, l, map[string]*sql.Stmt{}}
	if _, err := tx.ExecContext(ctx, journalsSchema); err != nil {
		return fmt.Errorf("make the new tables: %w", err)
	}
	for _, step := range []struct {
		what string
		do   func() error
	}{
		{"devices", t.migrateDevices},
		{"entries", t.migrateEntries},
		{"runs", t.migrateRuns},
		{"queues", t.migrateQueues},
	} {
		if err := step.do(); err != nil {
			return fmt.Errorf("migrate %s: %w", step.what, err)
		}
	}
	for _, table := range []string{"old_devices", "sessions", "old_entries"} {
		if _, err := t.exec("DROP TABLE " + table); err != nil {
			return err
		}
	}
	return nil
}

// inBatches reads rows in the order of their key, which is what scan gives, and
// calls do for each while no query is open.
func inBatches[T any](t transaction, query string, scan func(row) (string, T, error), do func(T) error) error {
	last := ""
	for {
		var batch []T
		err := t.each(func(r row) error {
			key, v, err := scan(r)
			last = key
			batch = append(batch, v)
			return err
		}, query+" LIMIT $2", last, migrateBatch)
		if err != nil {
			return err
		}
		for _, v := range batch {
			if err := do(v); err != nil {
				return err
			}
		}
		if len(batch) < migrateBatch {
			return nil
		}
	}
}

type oldDevice struct {
	key, account, noHistory string
	first                   int64
	device                  backup.Device
}

func (t transaction) migrateDevices() error {
	return inBatches(t, "SELECT id, account, first, no_history, data FROM old_devices WHERE id > $1 ORDER BY id",
		func(r row) (string, oldDevice, error) {
			var d oldDevice
			var data string
			if err := r.Scan(&d.key, &d.account, &d.first, &d.noHistory, &data); err != nil {
				return "", d, err
			}
			return d.key, d, json.Unmarshal([]byte(data), &d.device)
		}, func(d oldDevice) error {
			sessions, runs, err := t.oldSessions(d.key)
			if err != nil {
				return fmt.Errorf("%s: %w", d.key, err)
			}
			journal, err := packJSON(backup.NewJournal(d.device, fromMicros(d.first), d.noHistory, sessions, runs))
			if err != nil {
				return fmt.Errorf("%s: %w", d.key, err)
			}
			// Without a fingerprint it is looked at in the next poll.
			_, err = t.exec("INSERT INTO devices (id, account, fingerprint, version, due, journal) VALUES ($1, $2, 0, 1, 0, $3)",
				d.key, d.account, journal)
			return err
		})
}

func (t transaction) oldSessions(device string) (sessions []backup.Session, runs []string, err error) {
	err = t.each(func(r row) error {
		var s backup.Session
		var run, data string
		if err := r.Scan(&run, &data); err != nil {
			return err
		}
		err := json.Unmarshal([]byte(data), &s)
		sessions, runs = append(sessions, s), append(runs, run)
		return err
	}, "SELECT COALESCE(run, ''), data FROM sessions WHERE device = $1 ORDER BY started, number", device)
	return sessions, runs, err
}

// migrateEntries takes over the entries. Attempts begin anew: the first edition
// counted every failure, though the mailbox was ill and not the mail.
func (t transaction) migrateEntries() error {
	_, err := t.exec(`INSERT INTO entries (id, device, account, kind, status, ended, message_id, words, created,
			state, reason, doubt, mark, receipt, attempts, next, opening, settled, updated)
		SELECT id, device, account, kind, status, ended, message_id, words, created,
			state, reason, doubt, mark, receipt, 0, next, 0,
			CASE WHEN state IN ('sent', 'filtered', 'baseline') AND (mail IS NOT NULL OR EXISTS (SELECT 1 FROM events v WHERE v.entry = o.id))
				THEN updated ELSE 0 END,
			updated
		FROM old_entries o`)
	return err
}

type oldRun struct {
	id   string
	run  string
	mail []byte
}

func (t transaction) migrateRuns() error {
	return inBatches(t, "SELECT id, run, mail FROM old_entries WHERE id > $1 ORDER BY id",
		func(r row) (string, oldRun, error) {
			var o oldRun
			err := r.Scan(&o.id, &o.run, &o.mail)
			return o.id, o, err
		}, func(o oldRun) error {
			if _, err := t.exec("INSERT INTO runs (entry, run) VALUES ($1, $2)", o.id, pack([]byte(o.run))); err != nil || o.mail == nil {
				return err
			}
			_, err := t.exec("INSERT INTO mails (entry, mail) VALUES ($1, $2)", o.id, pack(o.mail))
			return err
		})
}

func (t transaction) migrateQueues() error {
	now, err := t.clock()
	if err != nil {
		return err
	}
	return inBatches(t, "SELECT DISTINCT device FROM entries WHERE "+waiting+" AND device > $1 ORDER BY device",
		func(r row) (device string, same string, err error) {
			err = r.Scan(&device)
			return device, device, err
		}, func(device string) error {
			_, err := t.requeue(device, now, true)
			return err
		})
}
