package bridge

import (
	"context"
	"fmt"
	"slices"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/ledger"
)

// day is how far back a failed run counts as an earlier attempt.
const day = 24 * time.Hour

// complete adds what follows from the runs before: earlier attempts, the
// change in sizes, remarks.
func (b *Bridge) complete(ctx context.Context, run *backup.Run) error {
	if run.Kind != backup.Whole {
		return nil
	}
	earlier, err := b.earlier(ctx, run)
	if err != nil {
		return err
	}
	attempts(run, earlier)
	return b.compare(ctx, run, earlier)
}

// earlier gives the runs of the same job that ended before this one started,
// newest first: as many as it takes to see how many in a row failed.
func (b *Bridge) earlier(ctx context.Context, run *backup.Run) ([]ledger.Entry, error) {
	for limit := 4; ; limit *= 8 {
		entries, err := b.Ledger.Entries(ctx, ledger.Query{Device: run.Device.Key(), Kind: backup.Whole, Until: run.Start, Limit: limit})
		if err != nil {
			return nil, err
		}
		same := slices.DeleteFunc(slices.Clone(entries), func(e ledger.Entry) bool {
			return e.Run.ID == run.ID || (e.Run.Source == nil) != (run.Source == nil) || run.Source != nil && e.Run.Source.Key != run.Source.Key
		})
		enough := slices.ContainsFunc(same, func(e ledger.Entry) bool { return e.Run.Status != backup.Failed })
		if enough || len(entries) < limit || run.Start.Sub(entries[limit-1].Run.Start) > day {
			return same, nil
		}
	}
}

// attempts lists the failed runs that directly precede this one within a day.
// earlier holds the device's runs, newest first.
func attempts(run *backup.Run, earlier []ledger.Entry) {
	for _, e := range earlier {
		if e.Run.Status != backup.Failed || run.Start.Sub(e.Run.Start) > day {
			break
		}
		run.Earlier = append(run.Earlier, backup.Attempt{Start: e.Run.Start, Status: e.Run.Status})
	}
	slices.Reverse(run.Earlier)
	if len(run.Earlier) > 0 {
		run.Attempt = len(run.Earlier) + 1
	}
}

// compare sets the totals of the sessions before, one for each data source of
// the run, and remarks on a selection that shrank. Where a data source has no
// session before, there is nothing to compare with.
func (b *Bridge) compare(ctx context.Context, run *backup.Run, earlier []ledger.Entry) error {
	before := backup.Run{Device: backup.Device{UsedStorage: backup.Unknown}}
	if len(earlier) > 0 {
		before.Device.UsedStorage = earlier[0].Run.Device.UsedStorage
	}
	whole := true
	for _, s := range run.Sessions {
		old, found, err := b.Ledger.Before(ctx, run.Device.Key(), s.Source.Key, s.Start)
		if err != nil {
			return err
		}
		if !found {
			whole = false
			continue
		}
		before.Sessions = append(before.Sessions, old)
		if text := shrank(old, s); text != "" {
			run.Remarks = append(run.Remarks, text)
		}
	}
	if len(before.Sessions) > 0 && whole {
		t := before.Totals()
		run.Previous = &t
	}
	return nil
}

// shrank says that a data source selects less than half of what it did; "" if not.
// What a session that failed selected says nothing.
func shrank(old, now backup.Session) string {
	if !now.Finished() || now.Status == backup.Failed || old.SelectedBytes <= 0 || now.SelectedBytes < 0 {
		return ""
	}
	switch {
	case now.SelectedBytes == 0:
		return fmt.Sprintf("%s selects nothing any more; the session before selected data.", now.Source.Name)
	case now.SelectedBytes < old.SelectedBytes/2:
		return fmt.Sprintf("%s selects %d%% less than the session before.", now.Source.Name, 100-now.SelectedBytes*100/max(old.SelectedBytes, 1))
	}
	return ""
}
