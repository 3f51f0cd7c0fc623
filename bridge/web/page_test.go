package web

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/ledger"
)

// slow is a ledger that takes as long as it is let to search.
type slow struct{ Ledger }

func (slow) Entries(ctx context.Context, _ ledger.Query) ([]backup.Entry, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// A page that takes too long is given up, and says what helps.
func TestSlowPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Bridge: &fake{}, Ledger: slow{}, Metrics: NewMetrics()})
		ctx, stop := context.WithTimeout(t.Context(), time.Hour)
		defer stop()
		w := httptest.NewRecorder()
		s.handler().ServeHTTP(w, httptest.NewRequestWithContext(ctx, "GET", "http://localhost/runs?q=x", nil))
		if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "narrow the search") || ctx.Err() != nil {
			t.Errorf("%d, %v: %s", w.Code, ctx.Err(), w.Body)
		}
	})
}

// What keeps a run from being queued is told with its own status.
func TestAgainFails(t *testing.T) {
	for _, c := range []struct {
		err  error
		code int
		says string
	}{
		{ledger.ErrWaiting, http.StatusConflict, "It is being sent at this moment."},
		{ledger.ErrUnknown, http.StatusNotFound, "not in the ledger"},
		{errors.New("the disk is gone"), http.StatusServiceUnavailable, "the disk is gone"},
	} {
		s := serve(t, &fake{err: c.err}, "")
		if resp, body := ask(t, s, "POST", "/runs/a/again"); resp.StatusCode != c.code || !strings.Contains(body, c.says) {
			t.Errorf("%v: %d %s", c.err, resp.StatusCode, body)
		}
	}
}

// Times are shown in the zone, and told to programs in UTC.
func TestZone(t *testing.T) {
	b := busy()
	b.status.Accounts[0].LastPoll = b.status.At
	s := New(Options{Bridge: b, Metrics: NewMetrics(), Zone: time.FixedZone("UTC+3", 3*3600)})
	w := httptest.NewRecorder()
	s.handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "http://localhost/", nil))
	if want := `<time datetime="2026-11-28T12:00:00Z">2026-11-28 15:00</time>`; !strings.Contains(w.Body.String(), want) {
		t.Errorf("no %s in %s", want, w.Body)
	}
}
