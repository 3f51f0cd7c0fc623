package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"covebridge/bridge/backup"
)

// Record stores the device and its sessions, all or nothing. A session whose
// Row is 0 is new, unless the ledger has its product's id already; others take
// the place of what is stored under their Row. Row and Run are filled in.
// Error texts are not kept here but with the run, see Commit.
func (l *Ledger) Record(ctx context.Context, d Device, sessions []backup.Session) error {
	recorded := make([]backup.Session, len(sessions))
	key := d.Key()
	err := l.write(ctx, "record device "+key, func(t transaction) error {
		data, err := json.Marshal(d.Device)
		if err != nil {
			return err
		}
		// The row is locked from here on, so that numbers are given once.
		var last int64
		err = t.row(`INSERT INTO devices (id, account, fingerprint, first, baseline, seen, history_to, no_history, last_number, data)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9)
			ON CONFLICT (id) DO UPDATE SET account = excluded.account, fingerprint = excluded.fingerprint,
				first = excluded.first, baseline = excluded.baseline, seen = excluded.seen, history_to = excluded.history_to, no_history = excluded.no_history, data = excluded.data
			RETURNING last_number`,
			key, d.Account, d.Fingerprint, d.First, d.Baseline, d.Seen, d.HistoryTo, d.NoHistory, string(data)).Scan(&last)
		if err != nil {
			return err
		}
		before := last
		for i, s := range sessions {
			if s.Row == 0 {
				last++
				s.Row = last
				recorded[i], err = t.insertSession(key, s)
			} else {
				recorded[i], err = t.updateSession(key, s)
			}
			if err != nil {
				return fmt.Errorf("session of %s at %s: %w", s.Source.Name, s.Start.UTC().Format(time.RFC3339), err)
			}
		}
		if last == before {
			return nil
		}
		_, err = t.exec("UPDATE devices SET last_number = $1 WHERE id = $2", last, key)
		return err
	})
	if err == nil {
		copy(sessions, recorded)
	}
	return err
}

func (t transaction) insertSession(device string, s backup.Session) (backup.Session, error) {
	return s, t.storeSession(`INSERT INTO sessions (device, number, source, product_id, state, started, ended, data)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (device, source, product_id) WHERE product_id <> '' DO UPDATE SET
			state = excluded.state, started = excluded.started, ended = excluded.ended, data = excluded.data
		RETURNING number, COALESCE(run, '')`, device, &s)
}

func (t transaction) updateSession(device string, s backup.Session) (backup.Session, error) {
	return s, t.storeSession(`UPDATE sessions SET source = $3, product_id = $4, state = $5, started = $6, ended = $7, data = $8
		WHERE device = $1 AND number = $2
		RETURNING number, COALESCE(run, '')`, device, &s)
}

func (t transaction) storeSession(query, device string, s *backup.Session) error {
	bare := *s
	bare.Errors, bare.ErrorsMissing = nil, ""
	data, err := json.Marshal(bare)
	if err != nil {
		return err
	}
	err = t.row(query, device, s.Row, short(s.Source.Key), short(s.ID), string(s.State), s.Start, s.End, string(data)).
		Scan(&s.Row, &s.Run)
	return known("its row", err)
}

func scanSession(r row) (s backup.Session, err error) {
	var number int64
	var run, data string
	if err := r.Scan(&number, &run, &data); err != nil {
		return s, err
	}
	if err := json.Unmarshal([]byte(data), &s); err != nil {
		return s, fmt.Errorf("session %d: %w", number, err)
	}
	s.Row, s.Run = number, run
	return s, nil
}

const sessionColumns = "number, COALESCE(run, ''), data"

// Sessions lists the device's sessions that are in no run yet, and all that
// started at or after since, by start. Row and Run are filled in.
func (l *Ledger) Sessions(ctx context.Context, deviceKey string, since time.Time) (all []backup.Session, err error) {
	err = l.read(ctx, "read sessions of "+deviceKey, func(t transaction) error {
		return t.each(func(r row) error {
			s, err := scanSession(r)
			all = append(all, s)
			return err
		}, "SELECT "+sessionColumns+" FROM sessions WHERE device = $1 AND (run IS NULL OR started >= $2)", deviceKey, since)
	})
	backup.SortSessions(all)
	return all, err
}

// Before gives the device's newest finished session of the data source that
// started before t.
func (l *Ledger) Before(ctx context.Context, deviceKey, sourceKey string, t time.Time) (s backup.Session, found bool, err error) {
	err = l.read(ctx, "read sessions of "+deviceKey, func(tx transaction) (err error) {
		s, err = scanSession(tx.row("SELECT "+sessionColumns+` FROM sessions
			WHERE device = $1 AND source = $2 AND started < $3 AND state = $4
			ORDER BY started DESC, number DESC LIMIT 1`, deviceKey, short(sourceKey), t, string(backup.Ended)))
		found = err == nil
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	return s, found, err
}
