package ledger

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"covebridge/bridge/backup"
)

func TestResend(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		l := p.open(t)
		bad, later := entry(device(1), time.Hour, backup.Success), entry(device(1), 2*time.Hour, backup.Success)
		commit(t, l, bad, later)
		id := bad.Run.ID
		take(t, l, 1)
		record(t, l, refused(id, time.Hour))
		if ids := take(t, l, 1); len(ids) != 0 {
			t.Errorf("took %v before its time", ids)
		}
		must(t, l.Resend(t.Context(), bad)) // due at once
		if ids := take(t, l, 1); len(ids) != 1 || ids[0] != id {
			t.Errorf("took %v", ids)
		}
		begin(t, l, id, "1:1")
		if err := l.Resend(t.Context(), bad); !errors.Is(err, ErrWaiting) {
			t.Errorf("sending: %v", err)
		}
		record(t, l, failed(id, "550 no such mailbox"))
		if e := get(t, l, id); e.State != backup.EntryFailed || e.Reason != "550 no such mailbox" || e.Attempts != 1 {
			t.Errorf("refused: %+v", e)
		}
		if ids := take(t, l, 1); len(ids) != 1 || ids[0] != later.Run.ID { // a failed mail holds up nothing
			t.Errorf("took %v", ids)
		}
		record(t, l, sent(later.Run.ID, "x"))

		must(t, l.Resend(t.Context(), bad))
		taken, err := l.Take(t.Context(), 1)
		must(t, err)
		if len(taken) != 1 || taken[0].Attempts != 0 || taken[0].Doubt || taken[0].Reason != "" || string(taken[0].Mail) != string(bad.Mail) {
			t.Errorf("took %+v", taken)
		}
		record(t, l, sent(id, "1"))
		bad.MessageID, bad.Mail, bad.Doubt = "new@covebridge", []byte("new"), true
		must(t, l.Resend(t.Context(), bad))
		if e := get(t, l, id); e.MessageID != "new@covebridge" || string(e.Mail) != "new" || !e.Doubt || e.Receipt != "" {
			t.Errorf("resent: %+v", e)
		}
		_, events, err := l.Entry(t.Context(), id)
		must(t, err)
		if last := events[len(events)-1]; last.What != "resend" || last.Detail != "was sent" {
			t.Errorf("the audit trail ends with %+v", last)
		}

		filtered := entry(device(2), time.Hour, backup.Success)
		filtered.State, filtered.Reason, filtered.Mail = backup.EntryFiltered, "types", nil
		commit(t, l, filtered)
		if err := l.Resend(t.Context(), filtered); !errors.Is(err, ErrNoMail) {
			t.Errorf("no mail: %v", err)
		}
		filtered.Mail = []byte("rendered")
		must(t, l.Resend(t.Context(), filtered))
		if e := get(t, l, filtered.Run.ID); e.State != backup.EntryQueued || string(e.Mail) != "rendered" {
			t.Errorf("resent: %+v", e)
		}
		if err := l.Resend(t.Context(), entry(device(3), time.Hour, backup.Success)); !errors.Is(err, ErrUnknown) {
			t.Errorf("unknown: %v", err)
		}
	})
}

// TestResendFailed: a backlog that a mailbox refused comes back as a whole, or
// as far as it is wanted, but not what was never rendered.
func TestResendFailed(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		l := p.open(t)
		const devices = resendBatch + 50
		var entries []backup.Entry
		for n := range devices {
			entries = append(entries, entry(device(n), time.Hour, backup.Success), entry(device(n), 2*time.Hour, backup.Success))
		}
		bare := entry(device(1), 3*time.Hour, backup.Failed)
		bare.State, bare.Reason, bare.Mail = backup.EntryFailed, "not rendered", nil
		commit(t, l, append(entries, bare)...)
		for {
			taken, err := l.Take(t.Context(), 1000)
			must(t, err)
			var outcomes []backup.Outcome
			for _, e := range taken {
				outcomes = append(outcomes, failed(e.Run.ID, "550"))
			}
			record(t, l, outcomes...)
			if len(taken) == 0 {
				break
			}
		}
		for i, test := range []struct {
			q    Query
			want int
		}{{Query{Device: device(7).Key()}, 2}, {Query{Since: start.Add(2 * time.Hour), Limit: 3}, 3}, {Query{}, 2*devices - 5}, {Query{}, 0}} {
			if n, err := l.ResendFailed(t.Context(), test.q); n != test.want || err != nil {
				t.Errorf("%d: %d, %v; want %d", i, n, err, test.want)
			}
		}
		counts, err := l.Counts(t.Context())
		if want := fmt.Sprintf("map[failed:1 queued:%d]", 2*devices); fmt.Sprint(counts) != want || err != nil {
			t.Errorf("counts %v, %v; want %s", counts, err, want)
		}
		first, err := l.Take(t.Context(), 1000)
		if err != nil || len(first) != devices {
			t.Fatalf("took %d, %v", len(first), err)
		}
		for _, e := range first {
			if !e.Run.End.Equal(start.Add(time.Hour)) || e.Attempts != 0 || e.Reason != "" {
				t.Fatalf("took %+v", e)
			}
		}
	})
}

func TestPrune(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		l := p.opened(t)
		old, waits, bad := entry(device(1), time.Hour, backup.Success), entry(device(1), 2*time.Hour, backup.Success), entry(device(2), time.Hour, backup.Success)
		quiet := entry(device(4), time.Hour, backup.Success)
		quiet.State, quiet.Mail = backup.EntryBaseline, nil
		commit(t, l, old, waits, bad, quiet)
		var many []backup.Entry
		for n := range 2*pruneBatch + 10 {
			many = append(many, entry(device(100+n), time.Hour, backup.Success))
		}
		commit(t, l, many...)
		var outcomes []backup.Outcome
		for _, e := range many {
			outcomes = append(outcomes, sent(e.Run.ID, "x"))
		}
		record(t, l, outcomes...)
		take(t, l, 9)
		record(t, l, sent(old.Run.ID, "x"), failed(bad.Run.ID, "no"))

		p.clock.Add(24 * time.Hour)
		recent := entry(device(3), time.Hour, backup.Success)
		commit(t, l, recent)
		record(t, l, sent(recent.Run.ID, "x"))
		must(t, l.Prune(t.Context(), start.Add(12*time.Hour)))

		for _, test := range []struct {
			e      backup.Entry
			mail   bool
			events int
		}{{old, false, 0}, {quiet, false, 0}, {waits, true, 1}, {bad, true, 2}, {recent, true, 2}, {many[0], false, 0}, {many[len(many)-1], false, 0}} {
			e, events, err := l.Entry(t.Context(), test.e.Run.ID)
			must(t, err)
			if (e.Mail != nil) != test.mail || len(events) != test.events || e.Run.Job != test.e.Run.Job {
				t.Errorf("%s: %d bytes of mail, events %v", e.Run.ID, len(e.Mail), events)
			}
		}
		// What was dropped does not come back as something new.
		commit(t, l, old)
		if got := get(t, l, old.Run.ID); got.State != backup.EntrySent || got.Mail != nil {
			t.Errorf("state %s", got.State)
		}
		// Resent and settled again, it is pruned again.
		must(t, l.Resend(t.Context(), old))
		record(t, l, sent(old.Run.ID, "y"))
		must(t, l.Prune(t.Context(), start.Add(48*time.Hour)))
		if got := get(t, l, old.Run.ID); got.Mail != nil {
			t.Error("kept")
		}
	})
}
