package deliver

import (
	"errors"
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
		before := h.standing()
		for range 10 {
			h.failed(before, gone)
		}
		if ill, wait, _ := h.ill(); !ill || wait > firstPause || wait < firstPause*3/4 {
			t.Errorf("ill %v, for %s", ill, wait)
		}
		h.took(before, 5)
		h.answered(before)
		h.refuses(before, "one", false, gone)
		if ill, _, _ := h.ill(); !ill {
			t.Error("well for what was begun before it was ill")
		}
		h.failed(before, &mailbox.Error{RetryAfter: time.Minute, Err: gone})
		if _, wait, _ := h.ill(); wait != time.Minute {
			t.Errorf("left alone for %s, not for the minute it asked for", wait)
		}
		h.took(h.standing(), 1)
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
			h.failed(h.standing(), errors.New("connection refused"))
			most := min(firstPause<<min(try, 10), maxPause)
			if _, wait, _ := h.ill(); wait > most || wait < most*3/4 {
				t.Errorf("try %d: %s, not about %s", try, wait, most)
			}
		}
		h.took(h.standing(), 1)
		h.failed(h.standing(), errors.New("connection refused"))
		if _, wait, _ := h.ill(); wait > firstPause {
			t.Errorf("left alone for %s", wait)
		}
	})
}
