package ledger

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"covebridge/bridge/backup"
)

func TestLife(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		l := p.open(t)
		e := entry(device(1), time.Minute, backup.Warning)
		commit(t, l, e)
		taken, err := l.Take(t.Context(), 5)
		must(t, err)
		if len(taken) != 1 || taken[0].Run.ID != e.Run.ID || taken[0].Doubt || string(taken[0].Mail) != string(e.Mail) {
			t.Fatalf("took %+v", taken)
		}
		if again := take(t, l, 5); again != nil {
			t.Fatalf("took twice: %v", again)
		}
		begin(t, l, e.Run.ID, "1:17")
		record(t, l, sent(e.Run.ID, "uid 17"))
		got, events, err := l.Entry(t.Context(), e.Run.ID)
		must(t, err)
		if got.State != backup.EntrySent || got.Receipt != "uid 17" {
			t.Errorf("entry %+v", got)
		}
		var trail []string
		for _, ev := range events {
			trail = append(trail, ev.What+" "+ev.Detail)
		}
		if diff := cmp.Diff([]string{"queued ", "sending 1:17", "sent uid 17"}, trail); diff != "" {
			t.Error(diff)
		}
		if _, _, err := l.Entry(t.Context(), "nothing"); !errors.Is(err, ErrUnknown) {
			t.Errorf("unknown: %v", err)
		}
		if n, err := l.Waiting(t.Context()); n != 0 || err != nil {
			t.Errorf("waiting %d, %v", n, err)
		}
		if _, some, err := l.NextDue(t.Context()); some || err != nil {
			t.Errorf("due: %v, %v", some, err)
		}
	})
}

// TestRecordNonsense: what can't be is refused, and keeps nothing else from
// being recorded or taken.
func TestRecordNonsense(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		l := p.open(t)
		e := entry(device(1), time.Minute, backup.Success)
		commit(t, l, e)
		take(t, l, 1)
		if err := l.Record(t.Context(), []backup.Outcome{{ID: e.Run.ID, State: backup.EntryBaseline}}); err == nil {
			t.Error("a delivery ended as baseline")
		}
		record(t, l, sent("no such run", "x"), cut(e.Run.ID))
		if ids := take(t, l, 1); len(ids) != 1 {
			t.Errorf("took %v", ids)
		}
	})
}

// TestDayLong: a mail that the mailbox refuses holds its device's later ones
// back for a day from when it was queued, and goes on being tried beside them.
// One that waits because the mailbox is ill holds them back for as long as that
// lasts.
func TestDayLong(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		l := p.opened(t)
		bad, ill := entry(device(1), time.Minute, backup.Failed), entry(device(2), time.Minute, backup.Success)
		later := []backup.Entry{entry(device(1), time.Hour, backup.Success), entry(device(1), 2*time.Hour, backup.Success), entry(device(2), time.Hour, backup.Success)}
		commit(t, l, append(later, bad, ill)...)
		tries := 0
		for elapsed := time.Duration(0); elapsed < MaxHold; elapsed += 50 * time.Minute {
			for _, id := range take(t, l, 9) {
				switch id {
				case bad.Run.ID:
					tries++
					record(t, l, refused(id, 50*time.Minute))
				case ill.Run.ID:
					record(t, l, backup.Outcome{ID: id, State: backup.EntryQueued, Detail: "the mailbox is ill", After: 50 * time.Minute})
				default:
					t.Fatalf("after %s: took %s before its time", elapsed, id)
				}
			}
			if wait, some, err := l.NextDue(t.Context()); err != nil || !some || wait <= 0 || wait > 50*time.Minute {
				t.Fatalf("due in %s, %v, %v", wait, some, err)
			}
			p.clock.Add(50 * time.Minute)
		}
		if tries < 25 {
			t.Errorf("tried %d times", tries)
		}
		// The day is over while it waits for its next try.
		record(t, l, refused(take(t, l, 1)[0], MaxBackoff))
		want := []string{bad.Run.ID, later[0].Run.ID, later[1].Run.ID}
		var got []string
		for range 20 {
			ids := take(t, l, 9)
			for _, id := range ids {
				if id == later[2].Run.ID {
					t.Error("a mailbox that is ill let a mail overtake another")
				}
				if id == ill.Run.ID {
					record(t, l, cut(id))
					continue
				}
				got = append(got, id)
				if id == bad.Run.ID {
					record(t, l, refused(id, MaxBackoff))
				} else {
					record(t, l, sent(id, "x"))
				}
			}
			p.clock.Add(10 * time.Minute)
		}
		passed := map[string]bool{}
		for _, id := range got {
			passed[id] = true
		}
		for _, id := range want {
			if !passed[id] {
				t.Errorf("%s was not taken: %v", id, got)
			}
		}
	})
}

// TestClockJumps: what was to wait until a far future, as it was told by a wrong
// clock, does not wait.
func TestClockJumps(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		l := p.opened(t)
		a, b := entry(device(1), time.Hour, backup.Success), entry(device(2), 2*time.Hour, backup.Success)
		commit(t, l, a, b)
		take(t, l, 9)
		record(t, l, refused(a.Run.ID, time.Minute), refused(b.Run.ID, 24*time.Hour)) // not longer than MaxBackoff
		due := func(wantWait time.Duration, want ...string) {
			t.Helper()
			wait, some, err := l.NextDue(t.Context())
			if err != nil || !some || wait != wantWait {
				t.Errorf("due in %s, %v, %v; want %s", wait, some, err, wantWait)
			}
			got := take(t, l, 9)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			must(t, l.Release(t.Context()))
		}
		due(time.Minute)
		p.clock.Add(time.Minute)
		due(0, a.Run.ID)
		p.clock.Add(-48 * time.Hour)
		due(0, a.Run.ID, b.Run.ID)
		p.clock.Add(48 * time.Hour)
		p.clock.Add(MaxBackoff)
		due(0, a.Run.ID, b.Run.ID)
	})
}
