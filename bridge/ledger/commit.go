package ledger

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"covebridge/bridge/backup"
)

// packedStep is a step made ready before the transaction, which then holds the
// writer no longer than it writes.
type packedStep struct {
	backup.Step
	journal []byte
	entries []packedEntry
	index   int
}

// Commit writes the steps in one transaction, and returns after it is on disk.
//
// A step whose Record.Version is not the stored one (0: the device must not be
// known) changes nothing, and its index is among stale; the others are
// committed, and count the version up by one. An entry whose id is there
// already is left as it is. ErrNoMail: a queued entry has none; then nothing
// is committed, as with any other error.
func (l *Ledger) Commit(ctx context.Context, steps []backup.Step) (stale []int, err error) {
	if len(steps) == 0 {
		return nil, nil
	}
	what := fmt.Sprintf("commit %d devices", len(steps))
	if len(steps) == 1 {
		what = "commit device " + steps[0].Key
	}
	packed := make([]packedStep, len(steps))
	for i, s := range steps {
		if packed[i], err = packStep(s); err != nil {
			return nil, l.explain(what, fmt.Errorf("device %s: %w", s.Key, err))
		}
		packed[i].index = i
	}
	// Everybody locks devices in the same order, so that nobody waits in a circle.
	slices.SortStableFunc(packed, func(a, b packedStep) int { return cmp.Compare(a.Key, b.Key) })
	err = l.write(ctx, what, func(t transaction) error {
		now, err := t.clock()
		if err != nil {
			return err
		}
		for _, s := range packed {
			fresh, err := t.commit(s, now)
			if err != nil {
				return fmt.Errorf("device %s: %w", s.Key, err)
			}
			if !fresh {
				stale = append(stale, s.index)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(stale)
	return stale, nil
}

func packStep(s backup.Step) (p packedStep, err error) {
	p.Step = s
	if p.journal, err = packJSON(s.Record.Journal); err != nil {
		return p, fmt.Errorf("journal: %w", err)
	}
	for _, e := range s.Entries {
		e.Account = cmp.Or(e.Account, s.Record.Account)
		packed, err := packEntry(e)
		if err != nil {
			return p, fmt.Errorf("run %s: %w", e.Run.ID, err)
		}
		p.entries = append(p.entries, packed)
	}
	return p, nil
}

// commit writes one step; false: it is stale.
func (t transaction) commit(s packedStep, now int64) (bool, error) {
	r := s.Record
	args := []any{s.Key, r.Account, int64(r.Fingerprint), r.Version + 1, s.Due, s.journal}
	query := `UPDATE devices SET account = $2, fingerprint = $3, version = $4, due = $5, journal = $6
		WHERE id = $1 AND version = $7`
	if r.Version == 0 {
		query = `INSERT INTO devices (id, account, fingerprint, version, due, journal) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (id) DO NOTHING`
	} else {
		args = append(args, r.Version)
	}
	n, err := t.exec(query, args...)
	if err != nil || n == 0 {
		return false, err
	}
	return true, t.addEntries(s.Key, s.entries, now)
}
