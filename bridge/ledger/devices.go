package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"covebridge/bridge/backup"
)

// DeviceStatus is a device with its newest run.
type DeviceStatus struct {
	backup.Device
	Account   string        // the configured login that it is seen through
	NoHistory string        // why its session history can't be read; empty: it can
	Due       time.Time     // when it is looked at again though nothing changes; zero: never, for nothing of it is open
	Past      []backup.Past // its newest runs, by start

	RunID  string // its newest run; empty: none yet, and the next three mean nothing
	State  backup.EntryState
	Status backup.Status
	End    time.Time
}

// Load gives what is known of the device with this backup.Device.Key: the zero
// Record if that is nothing.
func (l *Ledger) Load(ctx context.Context, key string) (r backup.Record, err error) {
	err = l.query(ctx, "read device "+key, func(t transaction) error {
		var fingerprint int64
		var journal []byte
		err := t.row("SELECT account, fingerprint, version, journal FROM devices WHERE id = $1", key).
			Scan(&r.Account, &fingerprint, &r.Version, &journal)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		r.Fingerprint = uint64(fingerprint)
		return unpackJSON("its journal", journal, &r.Journal)
	})
	if err != nil {
		return backup.Record{}, err
	}
	return r, nil
}

// Fingerprints tells the fingerprint of every device, in no order. yield must
// not use the ledger.
func (l *Ledger) Fingerprints(ctx context.Context, yield func(key, account string, fingerprint uint64)) error {
	return l.query(ctx, "read fingerprints", func(t transaction) error {
		return t.each(func(r row) error {
			var key, account string
			var fingerprint int64
			err := r.Scan(&key, &account, &fingerprint)
			if err == nil {
				yield(key, account, uint64(fingerprint))
			}
			return err
		}, "SELECT id, account, fingerprint FROM devices")
	})
}

// DueDevices lists the keys of up to limit of the account's devices that are to
// be looked at by now whether or not anything changed, soonest first.
func (l *Ledger) DueDevices(ctx context.Context, account string, now time.Time, limit int) (keys []string, err error) {
	err = l.query(ctx, "list devices that are due", func(t transaction) error {
		return t.each(func(r row) error {
			var key string
			err := r.Scan(&key)
			keys = append(keys, key)
			return err
		}, "SELECT id FROM devices WHERE account = $1 AND due <> 0 AND due > 0 AND due <= $2 ORDER BY due LIMIT $3", account, now, limit)
	})
	return keys, err
}

// Devices lists all devices, by key.
func (l *Ledger) Devices(ctx context.Context) ([]DeviceStatus, error) {
	return l.DevicesAfter(ctx, "", math.MaxInt32)
}

// DevicesAfter lists up to limit of the devices whose keys come after this one.
func (l *Ledger) DevicesAfter(ctx context.Context, key string, limit int) (all []DeviceStatus, err error) {
	err = l.query(ctx, "list devices", func(t transaction) error {
		return t.each(func(r row) error {
			var s DeviceStatus
			var key string
			var due, end int64
			var packed []byte
			if err := r.Scan(&key, &s.Account, &due, &packed, &s.RunID, &s.State, &s.Status, &end); err != nil {
				return err
			}
			var journal backup.Journal
			if err := unpackJSON("journal of "+key, packed, &journal); err != nil {
				return err
			}
			s.Device, s.NoHistory, s.Past, s.Due, s.End = journal.Device, journal.NoHistory, journal.Past, fromMicros(due), fromMicros(end)
			all = append(all, s)
			return nil
		}, `SELECT d.id, d.account, d.due, d.journal, COALESCE(e.id, ''), COALESCE(e.state, ''), COALESCE(e.status, 0), COALESCE(e.ended, 0)
			FROM devices d LEFT JOIN entries e ON e.id =
				(SELECT n.id FROM entries n WHERE n.device = d.id AND n.kind = $1 ORDER BY n.ended DESC, n.id DESC LIMIT 1)
			WHERE d.id > $2 ORDER BY d.id LIMIT $3`, string(backup.Whole), key, limit)
	})
	return all, err
}

// packJSON gives the value as packed JSON.
func packJSON(v any) ([]byte, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return pack(plain), nil
}

// unpackJSON reads what packJSON gave.
func unpackJSON(what string, packed []byte, v any) error {
	plain, err := unpack(packed)
	if err == nil {
		err = json.Unmarshal(plain, v)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}
