package ledger

import (
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"covebridge/bridge/backup"
)

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
	begin(t, a, e.Run.ID, "1:17")
	if ids := take(t, b, 9); ids != nil {
		t.Fatalf("took what is leased: %v", ids)
	}
	if wait, some, err := b.NextDue(t.Context()); err != nil || !some || wait <= 0 || wait > LeaseTime {
		t.Errorf("due in %s, %v, %v", wait, some, err)
	}
	if _, some, err := a.NextDue(t.Context()); err != nil || some {
		t.Errorf("due for the one that works on it: %v, %v", some, err)
	}
	a.expire(t)
	if wait, some, err := a.NextDue(t.Context()); wait != 0 || !some || err != nil {
		t.Errorf("due for the one whose leases ended: %s, %v, %v", wait, some, err)
	}
	if lost, err := a.Renew(t.Context()); err != nil || lost != nil {
		t.Fatalf("lost %v, %v", lost, err)
	}
	if ids := take(t, b, 9); ids != nil {
		t.Fatalf("took what was renewed: %v", ids)
	}

	a.expire(t)
	taken, err := b.Take(t.Context(), 9)
	must(t, err)
	if len(taken) != 2 || !taken[0].Doubt || taken[0].Mark != "1:17" || taken[1].Doubt {
		t.Fatalf("took over %+v", taken)
	}
	lost, err := a.Begin(t.Context(), []string{other.Run.ID, e.Run.ID}, "")
	if err != nil || len(lost) != 2 {
		t.Errorf("the one that was silent begins: lost %v, %v", lost, err)
	}
	record(t, a, cut(e.Run.ID), failed(other.Run.ID, "no"))
	if got := get(t, a, e.Run.ID); got.State != backup.EntrySending || !got.Doubt || got.Mark != "1:17" {
		t.Errorf("entry %+v", got)
	}
	if got := get(t, a, other.Run.ID); got.State != backup.EntryQueued {
		t.Errorf("entry %+v", got)
	}
	// The mail had arrived: that is true whoever says so.
	record(t, a, sent(e.Run.ID, "uid 17"))
	lost, err = b.Begin(t.Context(), []string{e.Run.ID, other.Run.ID}, "1:18")
	if diff := cmp.Diff([]string{e.Run.ID}, lost); diff != "" || err != nil {
		t.Errorf("sends what is sent: %v %s", err, diff)
	}
	record(t, b, sent(other.Run.ID, "uid 18"))
	record(t, b, sent(e.Run.ID, "uid 99"))
	if got := get(t, a, e.Run.ID); got.Receipt != "uid 17" {
		t.Errorf("receipt %s", got.Receipt)
	}
}

// TestRenewLost: what another bridge has taken over is told, and let go of.
func TestRenewLost(t *testing.T) {
	p := postgresPlace(t)
	a, b := p.open(t), p.open(t)
	e, kept := entry(device(1), time.Minute, backup.Success), entry(device(2), time.Minute, backup.Success)
	commit(t, a, e, kept)
	take(t, a, 9)
	a.sql(t, "UPDATE queues SET due = 1 WHERE device = 'cove-1'")
	take(t, b, 9)
	lost, err := a.Renew(t.Context())
	if diff := cmp.Diff([]string{e.Run.ID}, lost); diff != "" || err != nil {
		t.Fatal(err, diff)
	}
	if lost, err := a.Renew(t.Context()); lost != nil || err != nil {
		t.Errorf("told twice: %v, %v", lost, err)
	}
	must(t, b.Release(t.Context()))
	if ids := take(t, a, 9); len(ids) != 1 || ids[0] != e.Run.ID {
		t.Errorf("took %v", ids)
	}
}

// TestLateBegin: the lease ended before the first byte, as on a machine that
// was paused, and nobody took over yet: nothing may be sent, for one who asks
// the mailbox now would not find it. The entry is let go of: it is not renewed
// for ever, but taken again by whoever comes.
func TestLateBegin(t *testing.T) {
	p := postgresPlace(t)
	a, b := p.open(t), p.open(t)
	e := entry(device(1), time.Minute, backup.Success)
	commit(t, a, e)
	for _, next := range []*Ledger{b, a} {
		if ids := take(t, a, 1); len(ids) != 1 {
			t.Fatalf("took %v", ids)
		}
		a.expire(t)
		if lost, err := a.Begin(t.Context(), []string{e.Run.ID}, ""); err != nil || len(lost) != 1 {
			t.Errorf("begins late: lost %v, %v", lost, err)
		}
		if lost, err := a.Renew(t.Context()); err != nil || lost != nil {
			t.Errorf("renew: %v, %v", lost, err)
		}
		if ids := take(t, next, 1); len(ids) != 1 {
			t.Errorf("stuck: took %v", ids)
		}
		must(t, next.Release(t.Context()))
	}
}

// TestKeepMark: while it is in doubt whether an earlier try arrived, the mailbox
// has to be looked through from where that began.
func TestKeepMark(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		l := p.open(t)
		id := entry(device(1), time.Minute, backup.Success).Run.ID
		commit(t, l, entry(device(1), time.Minute, backup.Success))
		send := func(mark string, o backup.Outcome, want string) {
			t.Helper()
			if ids := take(t, l, 1); len(ids) != 1 {
				t.Fatalf("took %v", ids)
			}
			begin(t, l, id, mark)
			record(t, l, o)
			if e := get(t, l, id); e.Mark != want || e.Doubt != o.Doubt || e.State != backup.EntryQueued {
				t.Errorf("after %s: mark %q, doubt %v, state %s", mark, e.Mark, e.Doubt, e.State)
			}
		}
		send("1:5", cut(id), "1:5")
		send("1:9", cut(id), "1:5")
		send("1:12", refused(id, 0), "")
		send("1:20", cut(id), "1:20")
		if e := get(t, l, id); e.Attempts != 1 || e.Reason != "cut" { // a cut line is not the mail's fault
			t.Errorf("attempts %d, reason %q", e.Attempts, e.Reason)
		}
	})
}

func TestRelease(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		a := p.open(t)
		b := a
		if a.Shared() {
			b = p.open(t)
		}
		begun, not := entry(device(1), time.Minute, backup.Success), entry(device(2), time.Minute, backup.Success)
		commit(t, a, begun, not)
		take(t, a, 9)
		begin(t, a, begun.Run.ID, "")
		must(t, a.Release(t.Context()))
		if lost, err := a.Begin(t.Context(), []string{not.Run.ID}, ""); err != nil || len(lost) != 1 {
			t.Errorf("sends what it gave back: lost %v, %v", lost, err)
		}
		if ids := take(t, b, 9); len(ids) != 1 || ids[0] != not.Run.ID {
			t.Errorf("took %v", ids)
		}
	})
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
	a.sql(t, "UPDATE leases SET lease_until = lease_until + $1", (7 * 24 * time.Hour).Microseconds()) // the clock was put back
	lease(b, true)
}

// TestLeaseOfDeadBridge: with SQLite nobody else can be alive.
func TestLeaseOfDeadBridge(t *testing.T) {
	p := sqlitePlace(t)
	l := p.open(t)
	if got, err := l.Lease(t.Context(), "poll msp", time.Hour); err != nil || !got {
		t.Fatal(got, err)
	}
	commit(t, l, entry(device(1), time.Minute, backup.Success))
	take(t, l, 1)
	l.closeDatabases()
	l.unlock()
	l = p.open(t)
	if got, err := l.Lease(t.Context(), "poll msp", time.Hour); err != nil || !got {
		t.Errorf("Lease: %v, %v", got, err)
	}
	if ids := take(t, l, 1); len(ids) != 1 {
		t.Errorf("took %v", ids)
	}
}

// TestSilentInTransaction: a bridge falls silent between two statements of a
// transaction, as when its network is split; what it locked there keeps nobody
// from taking its mails over.
func TestSilentInTransaction(t *testing.T) {
	p := postgresPlace(t)
	b := p.open(t)
	p.Lease = 600 * time.Millisecond
	a := p.open(t)
	e := entry(device(1), time.Minute, backup.Success)
	commit(t, a, e)
	take(t, a, 9)

	renewing, silent := make(chan bool), make(chan bool)
	var ended sync.WaitGroup
	ended.Go(func() {
		err := a.write(t.Context(), "renew leases", func(tx transaction) error {
			_, err := tx.exec("UPDATE queues SET due = due + 1")
			close(renewing)
			<-silent
			return err
		})
		if err == nil {
			t.Error("a transaction that stood for long was committed")
		}
	})
	defer ended.Wait()
	defer close(silent)
	<-renewing
	for begun := time.Now(); len(take(t, b, 9)) == 0; time.Sleep(50 * time.Millisecond) {
		if time.Since(begun) > 10*time.Second {
			t.Fatal("the mail was not taken over")
		}
	}
}
