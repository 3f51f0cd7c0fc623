package deliver

import (
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"covebridge/bridge/finding"
	"covebridge/bridge/mailbox"
)

// Deliveries side by side that fail are one failure, and what was begun before it
// does not make the mailbox well.
func TestHealthSideBySide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHealth(finding.NewList(slog.New(slog.DiscardHandler)))
		gone := errors.New("connection refused")
		before := h.mark()
		for range 10 {
			h.failed(before, gone)
		}
		if ill, wait, _ := h.ill(); !ill || wait > minPause || wait < minPause*3/4 {
			t.Errorf("ill %v, for %s", ill, wait)
		}
		h.addAccepted(before, 5)
		h.reachable(before)
		h.addRejected(before, "one", false, gone)
		if ill, _, _ := h.ill(); !ill {
			t.Error("well for what was begun before it was ill")
		}
		h.failed(before, &mailbox.Error{RetryAfter: time.Minute, Err: gone})
		if _, wait, _ := h.ill(); wait != time.Minute {
			t.Errorf("left alone for %s, not for the minute it asked for", wait)
		}
		h.addAccepted(h.mark(), 1)
		if ill, _, _ := h.ill(); ill {
			t.Error("ill though it took a mail")
		}
	})
}

// The pauses grow to five minutes, and a mail that is taken makes them short again.
func TestHealthPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHealth(finding.NewList(slog.New(slog.DiscardHandler)))
		for try := range 40 {
			h.failed(h.mark(), errors.New("connection refused"))
			most := min(minPause<<min(try, 10), maxPause)
			if _, wait, _ := h.ill(); wait > most || wait < most*3/4 {
				t.Errorf("try %d: %s, not about %s", try, wait, most)
			}
		}
		h.addAccepted(h.mark(), 1)
		h.failed(h.mark(), errors.New("connection refused"))
		if _, wait, _ := h.ill(); wait > minPause {
			t.Errorf("left alone for %s", wait)
		}
	})
}

// A hundred different mails refused, and none taken, is an ill mailbox, which
// another kind of mail may pass; ninety-nine are not.
func TestHealthInARow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHealth(finding.NewList(slog.New(slog.DiscardHandler)))
		no := &mailbox.Error{Class: mailbox.Rejected, Text: "NO"}
		for i := range maxRejected {
			if ill, _, blamed := h.ill(); ill || blamed {
				t.Fatalf("ill after %d refusals", i)
			}
			h.addRejected(h.mark(), fmt.Sprint(i%(maxRejected-1)), false, no) // one of them twice
			h.addRejected(h.mark(), "known", true, no)
		}
		if ill, _, blamed := h.ill(); ill || blamed {
			t.Error("ill, though one mail was refused twice")
		}
		h.addRejected(h.mark(), "another", false, no)
		if ill, wait, blamed := h.ill(); !ill || !blamed || wait <= 0 {
			t.Errorf("ill %v for %s, blamed %v", ill, wait, blamed)
		}
		h.reachable(h.mark())
		if ill, _, _ := h.ill(); !ill {
			t.Error("well for an answer that may be about the mail")
		}
		h.addAccepted(h.mark(), 1)
		if ill, _, blamed := h.ill(); ill || blamed {
			t.Error("ill though it took a mail")
		}
		h.failed(h.mark(), errGone)
		h.reachable(h.mark())
		if ill, _, _ := h.ill(); ill {
			t.Error("not reached, though it answered since")
		}
	})
}

// What broke off without an answer may be the mail's doing; what the mailbox says
// of itself is not.
func TestHealthBlamed(t *testing.T) {
	for _, c := range []struct {
		err    error
		blamed bool
	}{
		{errGone, true},
		{&mailbox.Error{Class: mailbox.Unknown, Text: "connection lost"}, true},
		{&mailbox.Error{Class: mailbox.Unavailable, Text: "throttled"}, false},
	} {
		h := newHealth(finding.NewList(slog.New(slog.DiscardHandler)))
		h.failed(h.mark(), c.err)
		if _, _, blamed := h.ill(); blamed != c.blamed {
			t.Errorf("%v: blamed %v", c.err, blamed)
		}
	}
}
