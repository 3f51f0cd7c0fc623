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
		d := device(1)
		sessions := []backup.Session{session("D01", 0, time.Minute), session("D10", 0, 0)}
		must(t, l.Record(t.Context(), d, sessions))
		e := entry(d, time.Minute, backup.Warning)
		e.Run.Sessions = sessions[:1]
		commit(t, l, e)
		taken, err := l.Take(t.Context(), 5)
		must(t, err)
		if len(taken) != 1 || taken[0].Run.ID != e.Run.ID || taken[0].Doubt || string(taken[0].Mail) != string(e.Mail) {
			t.Fatalf("took %+v", taken)
		}
		if again := take(t, l, 5); again != nil {
			t.Fatalf("took twice: %v", again)
		}
		must(t, l.Sending(t.Context(), e.Run.ID, "1:17"))
		must(t, l.Sent(t.Context(), e.Run.ID, "uid 17"))
		got, events, err := l.Entry(t.Context(), e.Run.ID)
		must(t, err)
		if got.State != Sent || got.Receipt != "uid 17" {
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
	})
}
