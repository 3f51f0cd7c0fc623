package ledger

import (
	"errors"
	"sync"
	"testing"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/internal/pgtest"
)

func postgresPlace(t testing.TB) place {
	return place{Options{Postgres: pgtest.URL(t)}, &clock{now: start}}
}

// TestTakeover: a bridge falls silent in the middle of a delivery, another one
// takes over, and the first one comes back.
func TestTakeover(t *testing.T) {
	p := postgresPlace(t)
	a, b := p.open(t), p.open(t)
	e, other := entry(device(1), time.Minute, backup.Success), entry(device(2), 2*time.Minute, backup.Success)
	commit(t, a, e, other)
	if ids := take(t, a, 9); len(ids) != 2 {
		t.Fatalf("took %v", ids)
	}
	must(t, a.Sending(t.Context(), e.Run.ID, "1:17"))
	if ids := take(t, b, 9); ids != nil {
		t.Fatalf("took what is leased: %v", ids)
	}
	if wait, some, err := b.Due(t.Context()); err != nil || !some || wait <= 0 || wait > LeaseTime {
		t.Errorf("due in %s, %v, %v", wait, some, err)
	}
	a.expire(t)
	must(t, a.Renew(t.Context()))
	if ids := take(t, b, 9); ids != nil {
		t.Fatalf("took what was renewed: %v", ids)
	}

	a.expire(t)
	taken, err := b.Take(t.Context(), 9)
	must(t, err)
	if len(taken) != 2 || !taken[0].Doubt || taken[0].Mark != "1:17" || taken[1].Doubt {
		t.Fatalf("took over %+v", taken)
	}
	for what, err := range map[string]error{
		"Sending":       a.Sending(t.Context(), other.Run.ID, ""),
		"Sending again": a.Sending(t.Context(), e.Run.ID, ""),
		"Retry":         a.Retry(t.Context(), e.Run.ID, "cut", 0, false),
		"Refused":       a.Refused(t.Context(), e.Run.ID, "no"),
	} {
		if !errors.Is(err, ErrLost) {
			t.Errorf("%s of the one that was silent: %v", what, err)
		}
	}
	if got := get(t, a, e.Run.ID); got.State != Sending || !got.Doubt || got.Mark != "1:17" {
		t.Errorf("entry %+v", got)
	}
	// The mail had arrived: that is true whoever says so.
	must(t, a.Sent(t.Context(), e.Run.ID, "uid 17"))
	if err := b.Sending(t.Context(), e.Run.ID, "1:18"); !errors.Is(err, ErrLost) {
		t.Errorf("sends what is sent: %v", err)
	}
	must(t, b.Sending(t.Context(), other.Run.ID, "1:18"))
	must(t, b.Sent(t.Context(), other.Run.ID, "uid 18"))
}

// TestLateSending: the lease ended before the first byte, and nobody took over
// yet: nothing may be sent, for one who asks the mailbox now would not find it.
func TestLateSending(t *testing.T) {
	l := postgresPlace(t).open(t)
	e := entry(device(1), time.Minute, backup.Success)
	commit(t, l, e)
	take(t, l, 1)
	l.expire(t)
	if err := l.Sending(t.Context(), e.Run.ID, ""); !errors.Is(err, ErrLost) {
		t.Errorf("Sending: %v", err)
	}
	must(t, l.Retry(t.Context(), e.Run.ID, "too late", 0, false))
	if ids := take(t, l, 1); len(ids) != 1 {
		t.Errorf("took %v", ids)
	}
}

// TestKeepMark: while it is in doubt whether an earlier try arrived, the mailbox
// has to be looked through from where that began.
func TestKeepMark(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		l := p.open(t)
		id := entry(device(1), time.Minute, backup.Success).Run.ID
		commit(t, l, entry(device(1), time.Minute, backup.Success))
		send := func(mark string, doubt bool, want string) {
			t.Helper()
			if ids := take(t, l, 1); len(ids) != 1 {
				t.Fatalf("took %v", ids)
			}
			must(t, l.Sending(t.Context(), id, mark))
			must(t, l.Retry(t.Context(), id, "cut", 0, doubt))
			if e := get(t, l, id); e.Mark != want || e.Doubt != doubt || e.State != Queued {
				t.Errorf("after %s: mark %q, doubt %v, state %s", mark, e.Mark, e.Doubt, e.State)
			}
		}
		send("1:5", true, "1:5")
		send("1:9", true, "1:5")
		send("1:12", false, "")
		send("1:20", true, "1:20")
		if e := get(t, l, id); e.Attempts != 4 || e.Reason != "cut" {
			t.Errorf("attempts %d, reason %q", e.Attempts, e.Reason)
		}
	})
}

func TestRelease(t *testing.T) {
	p := postgresPlace(t)
	a, b := p.open(t), p.open(t)
	begun, not := entry(device(1), time.Minute, backup.Success), entry(device(2), time.Minute, backup.Success)
	commit(t, a, begun, not)
	take(t, a, 9)
	must(t, a.Sending(t.Context(), begun.Run.ID, ""))
	must(t, a.Release(t.Context()))
	if ids := take(t, b, 9); len(ids) != 1 || ids[0] != not.Run.ID {
		t.Errorf("took %v", ids)
	}
	if err := a.Sending(t.Context(), not.Run.ID, ""); !errors.Is(err, ErrLost) {
		t.Errorf("sends what it gave back: %v", err)
	}
}

// TestManyBridges: several bridges drain one ledger. None takes what another
// has, and the mails of a device go out in order.
func TestManyBridges(t *testing.T) {
	p := postgresPlace(t)
	const devices, runs = 20, 10
	first := p.open(t)
	for n := range devices {
		var entries []Entry
		for i := range runs {
			entries = append(entries, entry(device(n), time.Duration(i)*time.Hour, backup.Status((n+i)%3)))
		}
		commit(t, first, entries...)
	}
	var mu sync.Mutex
	got := map[string][]time.Time{}
	bridge := func(l *Ledger) error {
		for {
			taken, err := l.Take(t.Context(), 3)
			if err != nil {
				return err
			}
			if len(taken) == 0 {
				// The others work on what is left; it is over when nothing waits.
				if _, some, err := l.Due(t.Context()); err != nil || !some {
					return err
				}
				continue
			}
			for _, e := range taken {
				if err := l.Sending(t.Context(), e.Run.ID, ""); err != nil {
					return err
				}
				mu.Lock()
				key := e.Run.Device.Key()
				got[key] = append(got[key], e.Run.End)
				mu.Unlock()
				if err := l.Sent(t.Context(), e.Run.ID, l.Owner()); err != nil {
					return err
				}
			}
		}
	}
	var group sync.WaitGroup
	for range 4 {
		l := p.open(t)
		group.Go(func() {
			if err := bridge(l); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	for n := range devices {
		ends := got[device(n).Key()]
		if len(ends) != runs {
			t.Errorf("device %d: %d mails", n, len(ends))
		}
		for i := 1; i < len(ends); i++ {
			if !ends[i].After(ends[i-1]) {
				t.Errorf("device %d: %s after %s", n, ends[i], ends[i-1])
			}
		}
	}
}

// TestManyBridgesOneSession: two bridges group the same sessions at the same
// moment in different ways. One of them wins.
func TestManyBridgesOneSession(t *testing.T) {
	p := postgresPlace(t)
	a, b := p.open(t), p.open(t)
	d := device(1)
	sessions := []backup.Session{session("D01", 0, time.Minute), session("D10", time.Minute, time.Minute)}
	must(t, a.Record(t.Context(), d, sessions))
	one, two := entry(d, time.Minute, backup.Success), entry(d, 5*time.Minute, backup.Success)
	one.Run.Sessions, two.Run.Sessions = sessions, sessions[1:]
	errs := make(chan error, 2)
	go func() { _, err := a.Commit(t.Context(), one); errs <- err }()
	go func() { _, err := b.Commit(t.Context(), two); errs <- err }()
	x, y := <-errs, <-errs
	if (x == nil) == (y == nil) || !errors.Is(errors.Join(x, y), ErrConflict) {
		t.Errorf("%v, %v", x, y)
	}
}

func TestLease(t *testing.T) {
	p := postgresPlace(t)
	a, b := p.open(t), p.open(t)
	lease := func(l *Ledger, want bool) {
		t.Helper()
		if got, err := l.Lease(t.Context(), "poll msp", time.Minute); err != nil || got != want {
			t.Errorf("Lease: %v, %v", got, err)
		}
	}
	lease(a, true)
	lease(a, true)
	lease(b, false)
	must(t, b.Unlease(t.Context(), "poll msp"))
	lease(b, false)
	must(t, a.Unlease(t.Context(), "poll msp"))
	lease(b, true)
	a.expire(t)
	lease(a, true)
	lease(b, false)
}

// TestLeaseOfDeadBridge: with SQLite nobody else can be alive.
func TestLeaseOfDeadBridge(t *testing.T) {
	p := sqlitePlace(t)
	l := p.open(t)
	if got, err := l.Lease(t.Context(), "poll msp", time.Hour); err != nil || !got {
		t.Fatal(got, err)
	}
	l.db.Close()
	l.unlock()
	l = p.open(t)
	if got, err := l.Lease(t.Context(), "poll msp", time.Hour); err != nil || !got {
		t.Errorf("Lease: %v, %v", got, err)
	}
}
