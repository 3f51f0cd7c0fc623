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
	sessions := []backup.Session{session("D01", 0, time.Minute), session("D10", 0, 0)}
	must(t, lite.Record(t.Context(), d, sessions))
	begun, sent, filtered := entry(d, time.Hour, backup.Success), entry(device(2), 2*time.Hour, backup.Failed), entry(device(3), 3*time.Hour, backup.Warning)
	begun.Run.Sessions = sessions[:1]
	filtered.State, filtered.Mail = Filtered, nil
	commit(t, lite, begun, sent, filtered)
	take(t, lite, 9)
	must(t, lite.Sending(t.Context(), begun.Run.ID, "1:17"))
	must(t, lite.Sent(t.Context(), sent.Run.ID, "uid 16"))
	must(t, lite.SetValue(t.Context(), "sweep msp", "x"))

	var last [2]int
	progress := func(done, total int) { last = [2]int{done, total} }
	must(t, Copy(t.Context(), lite, pg, progress))
	if last != [2]int{12, 12} { // 1 device, 2 sessions, 3 entries, 5 events, 1 fact
		t.Errorf("progress %v", last)
	}
	must(t, Copy(t.Context(), lite, pg, nil)) // the same again is no harm
	must(t, Copy(t.Context(), pg, back, nil))
	if err := sameLedgers(t, lite, back); err != nil {
		t.Error(err)
	}

	// Work goes on there.
	taken, err := pg.Take(t.Context(), 9)
	must(t, err)
	if len(taken) != 1 || !taken[0].Doubt || taken[0].Mark != "1:17" || string(taken[0].Mail) != string(begun.Mail) {
		t.Errorf("took %+v", taken)
	}
	if err := Copy(t.Context(), pg, sqlitePlace(t).open(t), nil); !errors.Is(err, ErrHeld) {
		t.Errorf("copied under a running bridge: %v", err)
	}
	must(t, pg.Sent(t.Context(), begun.Run.ID, "found"))
	more := []backup.Session{session("D01", time.Hour, time.Minute)}
	must(t, pg.Record(t.Context(), d, more))
	if more[0].Row != 3 {
		t.Errorf("row %d", more[0].Row)
	}
	if err := Copy(t.Context(), lite, pg, nil); !errors.Is(err, ErrNotEmpty) {
		t.Errorf("copied over what went on: %v", err)
	}
	if got := get(t, pg, begun.Run.ID); got.State != Sent {
		t.Errorf("state %s", got.State)
	}
}

func sameLedgers(t *testing.T, a, b *Ledger) (err error) {
	must(t, a.read(t.Context(), "compare", func(x transaction) error {
		return b.read(t.Context(), "compare", func(y transaction) error {
			err = same(x, y)
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
	if err := Copy(t.Context(), from, sqlitePlace(t).open(t), nil); !errors.Is(err, ErrHeld) {
		t.Errorf("got %v", err)
	}
}
