package deliver

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/mailbox"
)

var errGone = errors.New("connection reset")

// What nobody knows may mean that the mail arrived, if it was begun.
func TestClassify(t *testing.T) {
	for _, c := range []struct {
		err   error
		begun bool
		want  mailbox.Class
		pause time.Duration
	}{
		{errGone, true, mailbox.Unknown, 0},
		{errGone, false, mailbox.Unavailable, 0},
		{&mailbox.Error{Class: mailbox.Unknown}, true, mailbox.Unknown, 0},
		{&mailbox.Error{Class: mailbox.Unknown}, false, mailbox.Unavailable, 0},
		{&mailbox.Error{Class: mailbox.Rejected, RetryAfter: time.Minute}, false, mailbox.Rejected, time.Minute},
		{fmt.Errorf("deliver: %w", &mailbox.Error{Class: mailbox.Final}), true, mailbox.Final, 0},
	} {
		if class, pause := classify(c.err, c.begun); class != c.want || pause != c.pause {
			t.Errorf("%v, begun %v: %v for %s", c.err, c.begun, class, pause)
		}
	}
}

// Of several errors, the one that wants the longest pause counts, or the first.
func TestWorse(t *testing.T) {
	short, long := &mailbox.Error{RetryAfter: time.Second}, &mailbox.Error{RetryAfter: time.Minute}
	for _, c := range []struct{ a, b, want error }{
		{nil, errGone, errGone},
		{errGone, short, short},
		{short, errGone, short},
		{short, long, long},
		{long, short, long},
		{errGone, errStopped, errGone},
	} {
		if got := worse(c.a, c.b); !errors.Is(got, c.want) {
			t.Errorf("of %v and %v: %v", c.a, c.b, got)
		}
	}
}

func TestAboutOne(t *testing.T) {
	for _, c := range []struct {
		err  error
		want bool
	}{
		{errGone, true}, // no mailbox told that it is ill
		{mailbox.ErrCannotAsk, false},
		{&mailbox.Error{Class: mailbox.Unavailable}, false},
		{&mailbox.Error{Class: mailbox.Unknown}, false},
		{&mailbox.Error{Class: mailbox.Rejected}, true},
		{&mailbox.Error{Class: mailbox.Final}, true},
		{&mailbox.Error{Class: mailbox.Unavailable, AskAgainAfter: time.Second}, true},
	} {
		if got := aboutOneMail(c.err); got != c.want {
			t.Errorf("%#v: %v", c.err, got)
		}
	}
}

// A mail is given up after thirty refusals, or after six of them and a day.
func TestSpent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		since := func(d time.Duration) suspect { return suspect{first: time.Now().Add(-d)} }
		for _, c := range []struct {
			times int
			s     suspect
			want  bool
		}{
			{30, suspect{}, true}, {29, suspect{}, false}, {29, since(time.Hour), false},
			{6, since(day), true}, {6, since(day - 1), false}, {5, since(3 * day), false}, {6, suspect{}, false},
		} {
			if got := exhausted(c.times, c.s); got != c.want {
				t.Errorf("%d times since %s: %v", c.times, c.s.first, got)
			}
		}
	})
}

// As long as it may be the mailbox's fault, a refused mail waits no longer than
// the mailbox is left alone.
func TestRefusalPause(t *testing.T) {
	for _, c := range []struct {
		attempts, strikes int
		counts            bool
		want              time.Duration
	}{
		{0, 1, false, time.Minute}, {0, 2, false, 2 * time.Minute}, {0, 9, false, maxPause},
		{0, 1, true, time.Minute}, {0, 3, true, 4 * time.Minute}, {0, 9, true, time.Hour},
		{1, 1, false, 2 * time.Minute}, {3, 9, false, time.Hour}, {5, 1, true, 32 * time.Minute},
	} {
		if got := refusalPause(backup.Entry{Attempts: c.attempts}, suspect{strikes: c.strikes}, c.counts); got != c.want {
			t.Errorf("%d attempts, %d refusals, counts %v: %s, not %s", c.attempts, c.strikes, c.counts, got, c.want)
		}
	}
}

func TestPatience(t *testing.T) {
	if one, many := deliveryTimeout(1), deliveryTimeout(32); one != 70*time.Second || many != 380*time.Second {
		t.Errorf("%s for one mail, %s for 32", one, many)
	}
}

// The thirtieth refusal is the last one, over restarts.
func TestGivenUpAtLast(t *testing.T) {
	for attempts, want := range map[int]backup.EntryState{maxRefusals - 1: backup.EntryFailed, maxRefusals - 2: backup.EntryQueued} {
		with(t, func(r *rig) {
			e := r.store.queue("bad", 0, backup.Failed)
			e.Attempts = attempts
			r.store.put("good", 1, backup.Success)
			r.box.reply = bad(refuses)
			counts := r.Drain(context.Background())
			if e.State != want {
				t.Errorf("refused %d times before: %s", attempts, e.State)
			}
			failed := int64(0)
			if want == backup.EntryFailed {
				failed = 1
			}
			if want := (Counts{Sent: 1, Failed: failed, Retried: 1 - failed}); counts != want {
				t.Errorf("counts %+v, not %+v", counts, want)
			}
		})
	}
}

// That mails are refused while others pass is told until they pass, too.
func TestRefusedIsOver(t *testing.T) {
	with(t, func(r *rig) {
		r.store.queue("bad", 0, backup.Failed)
		r.store.put("good", 1, backup.Success)
		r.box.reply = bad(refuses)
		stop := r.start()
		time.Sleep(time.Second)
		if f := r.Findings.Current(); len(f) != 1 || f[0].Name != "mails_refused" {
			t.Errorf("got %+v", f)
		}
		r.store.queue("good", 1, backup.Success)
		time.Sleep(defaultIdle)
		if f := r.Findings.Current(); len(f) != 1 || f[0].Name != "mails_refused" {
			t.Errorf("got %+v", f)
		}
		r.box.set(func(b *box) { b.reply = nil })
		time.Sleep(5 * time.Minute)
		r.want("bad", 1)
		if f := r.Findings.Current(); len(f) > 0 {
			t.Errorf("got %+v", f)
		}
		stop()
	})
}
