package bridge

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/ledger"
)

const (
	// patience is how long history may lag behind statistics, which tell that a
	// session ended, before statistics are believed alone.
	patience = time.Hour
	// absence is after how many sweeps without a sight of a device another
	// account may take it over.
	absence = 3
	// surroundings is how far before the sessions in question others are read, so
	// that they are grouped as before.
	surroundings = 24 * time.Hour
)

// device works on what a poll showed of one device: its sessions are recorded,
// then those that make finished runs are queued.
func (b *Bridge) device(ctx context.Context, src Source, snap backup.Snapshot, e errand, p *Polled) error {
	key := snap.Device.Key()
	defer b.lock(key)()
	d, found, err := b.Ledger.Device(ctx, key)
	if err != nil {
		return err
	}
	if !b.owns(src, d, snap.At) {
		return nil
	}
	if !found {
		d.First, d.Baseline = snap.At, e.seen.Add(-b.Baseline)
		d.HistoryTo = d.Baseline
	}
	changed := !found || d.Fingerprint != snap.Fingerprint
	retry := b.History && d.NoHistory != "" && e.sweep()
	known, err := b.Ledger.Sessions(ctx, key, snap.At.AddDate(100, 0, 0)) // the open ones
	if err != nil {
		return err
	}
	moved := d.Account != src.Name() || !reflect.DeepEqual(d.Device, snap.Device)
	d.Account, d.Device, d.Seen = src.Name(), snap.Device, snap.At
	if changed || retry {
		p.count(&p.Changed)
		if err := b.record(ctx, src, d, snap, known); err != nil {
			return err
		}
	} else if moved || e.sweep() {
		if err := b.Ledger.Record(ctx, d, nil); err != nil {
			return err
		}
	}
	if changed || retry || len(known) > 0 {
		if d, _, err = b.Ledger.Device(ctx, key); err != nil {
			return err
		}
		if err := b.settle(ctx, src, d, snap.At, p); err != nil {
			return err
		}
	}
	if e.sweep() {
		return b.silence(ctx, d, snap, p)
	}
	return nil
}

// owns tells whether the account is the one that mails the device: of those
// that see it, the first in the configuration.
func (b *Bridge) owns(src Source, d ledger.Device, at time.Time) bool {
	index := func(name string) int {
		return slices.IndexFunc(b.Sources, func(s Source) bool { return s.Name() == name })
	}
	owner := index(d.Account)
	return owner < 0 || index(src.Name()) <= owner || at.Sub(d.Seen) > absence*max(b.Sweep, b.Interval)
}

// record reads the device's sessions as far as they are new and records them.
func (b *Bridge) record(ctx context.Context, src Source, d ledger.Device, snap backup.Snapshot, open []backup.Session) error {
	var history []backup.Session
	if b.History {
		var err error
		history, err = b.history(ctx, src, d, slices.Concat(open, snap.Sessions))
		if ctx.Err() != nil {
			return ctx.Err()
		}
		b.tellHistory(&d, err)
	}
	oldest := snap.At
	for _, s := range slices.Concat(open, history, snap.Sessions) {
		if s.Start.Before(oldest) {
			oldest = s.Start
		}
	}
	known, err := b.Ledger.Sessions(ctx, d.Key(), oldest.Add(-surroundings))
	if err != nil {
		return err
	}
	merged := backup.Merge(known, history)
	d.Fingerprint = snap.Fingerprint
	told := snap.Sessions
	if b.History && d.NoHistory == "" {
		d.HistoryTo = snap.At
		for _, s := range backup.Unmatched(merged, told) {
			if snap.At.Sub(s.End) < patience && s.End.After(d.Baseline) {
				// History does not list it yet. Read it again at the next poll.
				d.Fingerprint = ""
				told = slices.DeleteFunc(slices.Clone(told), func(t backup.Session) bool { return t.Source.Key == s.Source.Key && t.Told.Equal(s.Told) })
			}
		}
	}
	merged = backup.Merge(merged, told)
	return b.Ledger.Record(ctx, d, news(known, merged))
}

// history reads the sessions from where it was last read whole, or from the
// start of the oldest one that still runs, as far as is known. On first sight it
// reads back until no run is cut in two.
func (b *Bridge) history(ctx context.Context, src Source, d ledger.Device, known []backup.Session) ([]backup.Session, error) {
	since := d.HistoryTo
	for _, s := range known {
		if !s.Finished() && s.Start.Before(since) {
			since = s.Start
		}
	}
	if d.HistoryTo.After(d.Baseline) {
		return src.Sessions(ctx, d.Device, since, time.Time{})
	}
	return b.anchored(ctx, src, d.Device, since, time.Time{})
}

// anchored reads the sessions from before since, as far back as it takes for
// the grouping of those after it to be sure, within reason.
func (b *Bridge) anchored(ctx context.Context, src Source, d backup.Device, since, until time.Time) (sessions []backup.Session, err error) {
	for _, back := range []time.Duration{surroundings, 4 * surroundings} {
		sessions, err = src.Sessions(ctx, d, since.Add(-back), until)
		if err != nil || backup.Anchored(sessions, b.Rules.Window, since) {
			break
		}
	}
	return sessions, err
}

// tellHistory notes, once, that a device's history can't be read or can again.
func (b *Bridge) tellHistory(d *ledger.Device, err error) {
	switch {
	case err == nil && d.NoHistory != "":
		b.Log.Info("session history can be read again", "device", d.Name)
		d.NoHistory = ""
	case err != nil && d.NoHistory == "":
		b.Log.Warn("session history can't be read: statistics, which show only each data source's last session, must do until it can", "device", d.Name, "err", err)
		fallthrough
	case err != nil:
		d.NoHistory = oneLine(err.Error())
	}
}

// news gives the sessions that are new or not as they were known.
func news(known, merged []backup.Session) []backup.Session {
	was := map[int64]backup.Session{}
	for _, s := range known {
		was[s.Row] = s
	}
	return slices.DeleteFunc(merged, func(s backup.Session) bool {
		return s.Row != 0 && reflect.DeepEqual(was[s.Row], s)
	})
}

// isLost tells whether another bridge was quicker; what it did stands.
func isLost(err error) bool {
	return errors.Is(err, ledger.ErrConflict) || errors.Is(err, ledger.ErrLost)
}
