package ledger

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"covebridge/bridge/backup"
)

// TestCrash ends the bridge between any two steps, before and after the mail is
// in the mailbox, and starts it anew: in the end each mail is there once.
func TestCrash(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		l := p.open(t)
		for crashAt := range 6 {
			d := device(crashAt)
			mailbox := map[string]int{}
			step := 0
			for starts := 0; ; starts++ {
				if starts > 3 {
					t.Fatalf("crash %d: does not come to an end", crashAt)
				}
				if work(t, l, d, mailbox, func() bool { step++; return step == crashAt+1 }) {
					break
				}
				l = p.crash(t, l)
			}
			e := entry(d, time.Minute, backup.Success)
			if got := get(t, l, e.Run.ID); got.State != backup.EntrySent || mailbox[e.Run.ID] != 1 || len(mailbox) != 1 {
				t.Errorf("crash %d: state %s, mailbox %v", crashAt, got.State, mailbox)
			}
			if ids := take(t, l, 9); ids != nil {
				t.Errorf("crash %d: %v again", crashAt, ids)
			}
		}
	})
}

// work is what a bridge does for one device with one run; false: it crashed.
func work(t *testing.T, l *Ledger, d backup.Device, mailbox map[string]int, crash func() bool) bool {
	if crash() {
		return false
	}
	commit(t, l, entry(d, time.Minute, backup.Success))
	if crash() {
		return false
	}
	taken, err := l.Take(t.Context(), 9)
	must(t, err)
	for _, e := range taken {
		if crash() {
			return false
		}
		if e.Doubt && mailbox[e.Run.ID] > 0 {
			record(t, l, sent(e.Run.ID, "found"))
			continue
		}
		begin(t, l, e.Run.ID, "mark")
		if crash() {
			return false
		}
		mailbox[e.Run.ID]++
		if crash() {
			return false
		}
		record(t, l, sent(e.Run.ID, "appended"))
	}
	return !crash()
}

// TestRestored puts a copy of the ledger back that was made before mails went
// out. Each comes in doubt, once: not again once it was asked for and begun.
func TestRestored(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		l := p.open(t)
		e := entry(device(1), time.Minute, backup.Success)
		commit(t, l, e)
		takeDoubt := func(l *Ledger, want bool) {
			t.Helper()
			taken, err := l.Take(t.Context(), 1)
			must(t, err)
			if len(taken) != 1 || taken[0].Doubt != want {
				t.Fatalf("took %+v; want doubt %v", taken, want)
			}
		}
		takeDoubt(l, false)
		must(t, l.Release(t.Context()))

		for range 2 { // asked for in one life and not begun, or begun: each life asks anew
			l = p.crash(t, l)
			takeDoubt(l, true)
			must(t, l.Release(t.Context()))
			takeDoubt(l, true)
			begin(t, l, e.Run.ID, "1:17")
			record(t, l, refused(e.Run.ID, 0))
			takeDoubt(l, false)
			must(t, l.Release(t.Context()))
		}
		// The original sends it; the copy, as it is now, is opened later.
		l = p.crash(t, l)
		takeDoubt(l, true)
		// What is committed from now on needs no asking.
		fresh := entry(device(2), time.Minute, backup.Success)
		commit(t, l, fresh)
		takeDoubt(l, false)
		record(t, l, sent(e.Run.ID, "found"), sent(fresh.Run.ID, "uid 2"))
		// Nor what is wanted again, though it is there, whenever it is taken.
		must(t, l.Resend(t.Context(), e))
		l = p.crash(t, l)
		takeDoubt(l, false)
	})
}

// TestHalfWritten lets the disk fill up in the middle of work: what fails,
// fails as a whole and says what to do, and works once there is room.
func TestHalfWritten(t *testing.T) {
	p := sqlitePlace(t)
	l := p.open(t)
	e := entry(device(2), time.Minute, backup.Success)
	e.Mail = make([]byte, 1<<20)
	for i := range e.Mail { // nothing that packs well
		e.Mail[i] = byte(i * i >> 3 * i >> 7)
	}
	l.sql(t, "PRAGMA max_page_count = 60")
	_, err := l.Commit(t.Context(), []backup.Step{step(t, l, device(1), entry(device(1), time.Minute, backup.Failed)), step(t, l, device(2), e)})
	if err == nil {
		t.Fatal("a full disk takes a megabyte")
	}
	want := fmt.Sprintf("ledger %s: commit 2 devices: device cove-2: run %s: database or disk is full (13): %s", p.SQLite, e.Run.ID, space)
	if err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if found, err := l.Entries(t.Context(), Query{}); err != nil || found != nil {
		t.Errorf("left behind: %v, %v", found, err)
	}
	if r, err := l.Load(t.Context(), device(1).Key()); err != nil || r.Version != 0 {
		t.Errorf("left behind: %+v, %v", r, err)
	}
	l.sql(t, "PRAGMA max_page_count = 1000000")
	commit(t, l, e)
}

// TestSentUnrecorded: the mail is out, but the ledger can't be told. It is not
// sent again by this bridge: what it knows is written as soon as that is possible.
func TestSentUnrecorded(t *testing.T) {
	p := sqlitePlace(t)
	l := p.open(t)
	a, b := entry(device(1), time.Minute, backup.Success), entry(device(2), time.Minute, backup.Success)
	commit(t, l, a, b)
	take(t, l, 2)
	begin(t, l, a.Run.ID, "1:17")
	l.sql(t, "PRAGMA query_only = 1")
	if err := l.Record(t.Context(), []backup.Outcome{sent(a.Run.ID, "uid 17")}); err == nil {
		t.Fatal("recorded on a read-only disk")
	}
	if _, err := l.Take(t.Context(), 1); err == nil {
		t.Fatal("took from a read-only disk")
	}
	l.sql(t, "PRAGMA query_only = 0")
	if ids := take(t, l, 9); ids != nil {
		t.Errorf("took %v", ids)
	}
	if e := get(t, l, a.Run.ID); e.State != backup.EntrySent || e.Receipt != "uid 17" {
		t.Errorf("entry %+v", e)
	}
	// The process ends before it is possible: then it is in doubt.
	begin(t, l, b.Run.ID, "1:18")
	l.sql(t, "PRAGMA query_only = 1")
	if err := l.Record(t.Context(), []backup.Outcome{sent(b.Run.ID, "uid 18")}); err == nil {
		t.Fatal("recorded on a read-only disk")
	}
	taken, err := p.crash(t, l).Take(t.Context(), 9)
	must(t, err)
	if len(taken) != 1 || !taken[0].Doubt || taken[0].Mark != "1:18" {
		t.Errorf("took %+v", taken)
	}
}

// TestRecordWaits: the writer is held for longer than any delivery lasts.
// Record waits for it, and the mail is not sent again.
func TestRecordWaits(t *testing.T) {
	l := sqlitePlace(t).open(t)
	e := entry(device(1), 0, backup.Success)
	commit(t, l, e)
	take(t, l, 1)
	begin(t, l, e.Run.ID, "")
	held, free := make(chan struct{}), make(chan struct{})
	go l.write(t.Context(), "stands for what is slow", func(transaction) error { close(held); <-free; return nil })
	<-held
	done := make(chan error)
	go func() { done <- l.Record(t.Context(), []backup.Outcome{sent(e.Run.ID, "250 ok")}) }()
	select {
	case err := <-done:
		t.Fatalf("recorded while the writer is held: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	// What reads is not held up.
	if e := get(t, l, e.Run.ID); e.State != backup.EntrySending {
		t.Errorf("state %s", e.State)
	}
	close(free)
	must(t, <-done)
	if again := take(t, l, 1); again != nil {
		t.Errorf("taken again: %v", again)
	}
	// It waits as long as its context lets it, and no longer.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Record(ctx, []backup.Outcome{sent(e.Run.ID, "twice")}); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
	if _, err := l.Take(ctx, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("Take after the end: %v", err)
	}
	if wait, some, err := l.NextDue(t.Context()); wait != 0 || !some || err != nil {
		t.Errorf("while something is to be recorded, the next Take is due in %v, %v, %v", wait, some, err)
	}
	take(t, l, 1)
	if _, some, err := l.NextDue(t.Context()); some || err != nil {
		t.Errorf("still due after it was recorded: %v, %v", some, err)
	}
}
