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
		for crashAt := range 7 {
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
			if got := get(t, l, e.Run.ID); got.State != Sent || mailbox[e.Run.ID] != 1 || len(mailbox) != 1 {
				t.Errorf("crash %d: state %s, mailbox %v", crashAt, got.State, mailbox)
			}
			if ids := take(t, l, 9); ids != nil {
				t.Errorf("crash %d: %v again", crashAt, ids)
			}
		}
	})
}

// work is what a bridge does for one device with one session; false: it crashed.
func work(t *testing.T, l *Ledger, d Device, mailbox map[string]int, crash func() bool) bool {
	ctx := t.Context()
	if crash() {
		return false
	}
	sessions, err := l.Sessions(ctx, d.Key(), start)
	must(t, err)
	if len(sessions) == 0 {
		sessions = []backup.Session{session("D01", 0, time.Minute)}
		must(t, l.Record(ctx, d, sessions))
		if crash() {
			return false
		}
	}
	e := entry(d, time.Minute, backup.Success)
	e.Run.Sessions = sessions
	_, err = l.Commit(ctx, e)
	must(t, err)
	if crash() {
		return false
	}
	taken, err := l.Take(ctx, 9)
	must(t, err)
	for _, e := range taken {
		if crash() {
			return false
		}
		if e.Doubt && mailbox[e.Run.ID] > 0 {
			must(t, l.Sent(ctx, e.Run.ID, "found"))
			continue
		}
		must(t, l.Sending(ctx, e.Run.ID, "mark"))
		if crash() {
			return false
		}
		mailbox[e.Run.ID]++
		if crash() {
			return false
		}
		must(t, l.Sent(ctx, e.Run.ID, "appended"))
	}
	return !crash()
}

// TestHalfWritten lets the disk fill up in the middle of work: what fails,
// fails as a whole and says what to do, and works once there is room.
func TestHalfWritten(t *testing.T) {
	p := sqlitePlace(t)
	l := p.open(t)
	d := device(1)
	e := entry(d, time.Minute, backup.Success)
	e.Mail = make([]byte, 1<<20)
	sessions := []backup.Session{session("D01", 0, time.Minute)}
	must(t, l.Record(t.Context(), d, sessions))
	e.Run.Sessions = sessions

	l.sql(t, "PRAGMA max_page_count = 60")
	_, err := l.Commit(t.Context(), entry(device(2), time.Minute, backup.Failed), e)
	if err == nil {
		t.Fatal("a full disk takes a megabyte")
	}
	want := fmt.Sprintf("ledger %s: commit 2 runs: %s: database or disk is full (13): %s", p.SQLite, e.Run.ID, space)
	if err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if found, err := l.Entries(t.Context(), Query{}); err != nil || found != nil {
		t.Errorf("left behind: %v, %v", found, err)
	}
	if s, _ := l.Sessions(t.Context(), d.Key(), start); len(s) != 1 || s[0].Run != "" {
		t.Errorf("left behind: %+v", s)
	}
	l.sql(t, "PRAGMA max_page_count = 1000000")
	commit(t, l, e)
}

// TestSentUnrecorded: the mail is out, but the ledger can't be told. It is taken
// again by the same bridge, in doubt, and not lost in its memory.
func TestSentUnrecorded(t *testing.T) {
	p := sqlitePlace(t)
	l := p.open(t)
	e := entry(device(1), time.Minute, backup.Success)
	commit(t, l, e)
	take(t, l, 1)
	must(t, l.Sending(t.Context(), e.Run.ID, "1:17"))
	l.sql(t, "PRAGMA query_only = 1")
	if err := l.Sent(t.Context(), e.Run.ID, "x"); err == nil {
		t.Fatal("recorded on a read-only disk")
	}
	l.sql(t, "PRAGMA query_only = 0")
	taken, err := l.Take(t.Context(), 1)
	must(t, err)
	if len(taken) != 1 || !taken[0].Doubt || taken[0].Mark != "1:17" {
		t.Errorf("took %+v", taken)
	}
}

// TestSentAtTheEnd: the program is told to stop while the server's OK arrives.
func TestSentAtTheEnd(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		l := p.open(t)
		e := entry(device(1), time.Minute, backup.Success)
		commit(t, l, e)
		take(t, l, 1)
		ctx, cancel := context.WithCancel(t.Context())
		must(t, l.Sending(ctx, e.Run.ID, ""))
		cancel()
		must(t, l.Sent(ctx, e.Run.ID, "uid 1"))
		if got := get(t, l, e.Run.ID); got.State != Sent {
			t.Errorf("state %s", got.State)
		}
		if _, err := l.Take(ctx, 1); !errors.Is(err, context.Canceled) {
			t.Errorf("Take after the end: %v", err)
		}
	})
}
