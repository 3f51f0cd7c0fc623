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

// Device is a device as it was last seen, and what the bridge keeps about it.
type Device struct {
	backup.Device
	Account     string    // the configured login that it is seen through
	Fingerprint string    // of its last snapshot
	First       time.Time // the product's clock at the first snapshot
	Baseline    time.Time // runs that ended before it are not sent
	Seen        time.Time // the product's clock at the last snapshot
	HistoryTo   time.Time // the session history was read whole up to then
	NoHistory   string    // why its session history can't be read; empty: it can
}

// DeviceStatus is a device with its newest run and what is still open.
type DeviceStatus struct {
	Device
	RunID  string // its newest run; empty: none yet, and the next three mean nothing
	State  State
	Status backup.Status
	End    time.Time
	Open   int // sessions that are in no run yet
}

const deviceColumns = "d.id, d.account, d.fingerprint, d.first, d.baseline, d.seen, d.history_to, d.no_history, d.data"

func scanDevice(r row, more ...any) (d Device, err error) {
	var id, data string
	var first, baseline, seen, historyTo int64
	if err := r.Scan(append([]any{&id, &d.Account, &d.Fingerprint, &first, &baseline, &seen, &historyTo, &d.NoHistory, &data}, more...)...); err != nil {
		return d, err
	}
	if err := json.Unmarshal([]byte(data), &d.Device); err != nil {
		return d, fmt.Errorf("device %s: %w", id, err)
	}
	d.First, d.Baseline, d.Seen, d.HistoryTo = moment(first), moment(baseline), moment(seen), moment(historyTo)
	return d, nil
}

// Device gives the device with this backup.Device.Key.
func (l *Ledger) Device(ctx context.Context, key string) (d Device, found bool, err error) {
	err = l.read(ctx, "read device "+key, func(t transaction) (err error) {
		d, err = scanDevice(t.row("SELECT "+deviceColumns+" FROM devices d WHERE d.id = $1", key))
		found = err == nil
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	return d, found, err
}

// Devices lists all devices.
func (l *Ledger) Devices(ctx context.Context) (all []DeviceStatus, err error) {
	err = l.read(ctx, "list devices", func(t transaction) error {
		return t.each(func(r row) (err error) {
			var s DeviceStatus
			var end int64
			if s.Device, err = scanDevice(r, &s.RunID, &s.State, &s.Status, &end, &s.Open); err != nil {
				return err
			}
			s.End = moment(end)
			all = append(all, s)
			return nil
		}, "SELECT "+deviceColumns+`, COALESCE(e.id, ''), COALESCE(e.state, ''), COALESCE(e.status, 0), COALESCE(e.ended, 0),
				(SELECT COUNT(*) FROM sessions s WHERE s.device = d.id AND s.run IS NULL)
			FROM devices d LEFT JOIN entries e ON e.id =
				(SELECT n.id FROM entries n WHERE n.device = d.id AND n.kind = $1 ORDER BY n.ended DESC, n.id DESC LIMIT 1)
			ORDER BY d.id`, string(backup.Whole))
	})
	return all, err
}

// OpenDevices lists the account's devices that have sessions in no run yet.
func (l *Ledger) OpenDevices(ctx context.Context, account string) (open []Device, err error) {
	err = l.read(ctx, "list open devices", func(t transaction) error {
		return t.each(func(r row) error {
			d, err := scanDevice(r)
			open = append(open, d)
			return err
		}, "SELECT "+deviceColumns+` FROM devices d
			WHERE d.account = $1 AND d.id IN (SELECT s.device FROM sessions s WHERE s.run IS NULL) ORDER BY d.id`, account)
	})
	return open, err
}
