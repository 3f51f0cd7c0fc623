package ledger

import (
	"errors"
	"testing"
	"time"

	"covebridge/bridge/backup"
)

// TestCopy moves an installation to PostgreSQL and back.
func TestCopy(t *testing.T) {
	lite, pg, back := sqlitePlace(t).open(t), postgresPlace(t).open(t), sqlitePlace(t).open(t)
	d := device(1)
	d.Name = "nul \x00 日本語"
	begun, gone, filtered := entry(d, time.Hour, backup.Success), entry(device(2), 2*time.Hour, backup.Failed), entry(device(3), 3*time.Hour, backup.Warning)
	wanted := entry(device(4), 4*time.Hour, backup.Success)
	filtered.State, filtered.Mail = backup.EntryFiltered, nil
	commit(t, lite, begun, gone, filtered, wanted)
	take(t, lite, 9)
	begin(t, lite, begun.Run.ID, "1:17")
	record(t, lite, sent(gone.Run.ID, "uid 16"), sent(wanted.Run.ID, "uid 17"))
	must(t, lite.Resend(t.Context(), wanted))
	must(t, lite.SetValue(t.Context(), "sweep msp", "x"))

	var last [2]int
	progress := func(done, total int) { last = [2]int{done, total} }
	whole := func(from, to *Ledger, progress func(done, total int), want bool) {
		t.Helper()
		if copied, err := Copy(t.Context(), from, to, progress); copied != want || err != nil {
			t.Errorf("copied: %v, %v, want %v", copied, err, want)
		}
	}
	whole(lite, pg, progress, true)
	if last != [2]int{4 + 4 + 4 + 3 + 2 + 8 + 1, 26} { // devices, entries, runs, mails, queues, events, facts
		t.Errorf("progress %v", last)
	}
	whole(lite, pg, nil, false) // the same again is no harm
	whole(pg, back, nil, true)
	for _, l := range []*Ledger{lite, pg} {
		if _, err := Copy(t.Context(), l, l, nil); !errors.Is(err, ErrItself) {
			t.Errorf("got %v", err)
		}
	}
	if err := sameLedgers(t, lite, back); err != nil {
		t.Error(err)
	}

	// Work goes on there.
	taken, err := pg.Take(t.Context(), 9)
	must(t, err)
	if len(taken) != 2 || !taken[0].Doubt || taken[0].Mark != "1:17" || string(taken[0].Mail) != string(begun.Mail) {
		t.Errorf("took %+v", taken)
	}
	if taken[1].Run.ID != wanted.Run.ID || taken[1].Doubt {
		t.Errorf("what is wanted again is in doubt: %+v", taken[1])
	}
	if _, err := Copy(t.Context(), pg, sqlitePlace(t).open(t), nil); !errors.Is(err, ErrHeld) {
		t.Errorf("copied under a running bridge: %v", err)
	}
	record(t, pg, sent(begun.Run.ID, "found"), sent(wanted.Run.ID, "uid 18"))
	if r, err := pg.Load(t.Context(), d.Key()); err != nil || r.Version != 1 || r.Journal.Device.ID != "1" {
		t.Errorf("journal %+v, %v", r, err)
	}
	if _, err := Copy(t.Context(), lite, pg, nil); !errors.Is(err, ErrNotEmpty) {
		t.Errorf("copied over what went on: %v", err)
	}
	if got := get(t, pg, begun.Run.ID); got.State != backup.EntrySent {
		t.Errorf("state %s", got.State)
	}
}

// TestCopyIsInDoubt: what waits in a copy may have been sent by the original.
func TestCopyIsInDoubt(t *testing.T) {
	from := sqlitePlace(t).open(t)
	from.Hold(t.Context())
	for range 5 { // the original has been opened more often than the copy
		from.sql(t, "UPDATE openings SET number = number + 1")
	}
	commit(t, from, entry(device(1), time.Hour, backup.Success))
	to := sqlitePlace(t).open(t)
	_, err := Copy(t.Context(), from, to, nil)
	must(t, err)
	taken, err := to.Take(t.Context(), 1)
	must(t, err)
	if len(taken) != 1 || !taken[0].Doubt {
		t.Errorf("took %+v", taken)
	}
}

func sameLedgers(t *testing.T, a, b *Ledger) (err error) {
	must(t, a.read(t.Context(), "compare", func(x transaction) error {
		return b.read(t.Context(), "compare", func(y transaction) error {
			err = checkEqual(x, y)
			return nil
		})
	}))
	return err
}

// TestCopyHeld: the bridge on the file has to be stopped first.
func TestCopyHeld(t *testing.T) {
	p := sqlitePlace(t)
	p.open(t)
	from, err := Open(t.Context(), p.Options)
	must(t, err)
	defer from.Close()
	if _, err := Copy(t.Context(), from, sqlitePlace(t).open(t), nil); !errors.Is(err, ErrHeld) {
		t.Errorf("got %v", err)
	}
}
