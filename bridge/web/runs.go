package web

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/ledger"
)

// perPage is how many runs, or devices, a page lists.
const perPage = 50

// states are those that a mail can be in.
var states = []backup.EntryState{backup.EntryQueued, backup.EntrySending, backup.EntrySent, backup.EntryFailed, backup.EntryFiltered, backup.EntryBaseline}

var statuses = []backup.Status{backup.Success, backup.Warning, backup.Failed}

// listing is a page of runs, newest first.
type listing struct {
	Runs   []backup.Entry
	Newest string // address of the first page; empty: this is it
	Older  string // address of the next page; empty: this is the last
}

// search is what is looked for, as the address says it.
type search struct {
	Text, Customer, Status, State, Since, Until string
}

// runs lists runs.
func (s *Server) runs(w http.ResponseWriter, r *http.Request) error {
	v := r.URL.Query()
	asked := search{v.Get("q"), v.Get("customer"), v.Get("status"), v.Get("state"), v.Get("since"), v.Get("until")}
	q, err := s.query(asked)
	if err != nil {
		return err
	}
	list, err := s.list(r, q)
	if err != nil {
		return err
	}
	return s.show(w, http.StatusOK, "runs.html", struct {
		head
		listing
		Search   search
		Statuses []backup.Status
		States   []backup.EntryState
	}{head{Title: "Runs", Part: "runs"}, list, asked, statuses, states})
}

// query reads a search. Days are those of the zone, the last one included.
func (s *Server) query(a search) (q ledger.Query, err error) {
	q = ledger.Query{Text: strings.TrimSpace(a.Text), Customer: strings.TrimSpace(a.Customer), State: backup.EntryState(a.State)}
	if a.State != "" && !slices.Contains(states, q.State) {
		return q, problem{http.StatusBadRequest, fmt.Sprintf("%q is no state of a mail.", a.State)}
	}
	if a.Status != "" {
		status, err := backup.ParseStatus(a.Status)
		if err != nil {
			return q, problem{http.StatusBadRequest, err.Error()}
		}
		q.Status = &status
	}
	if q.Since, err = s.day(a.Since); err != nil {
		return q, err
	}
	if q.Until, err = s.day(a.Until); err != nil {
		return q, err
	}
	if !q.Until.IsZero() {
		q.Until = q.Until.AddDate(0, 0, 1)
	}
	return q, nil
}

func (s *Server) day(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.ParseInLocation(time.DateOnly, text, s.zone())
	if err != nil {
		return t, problem{http.StatusBadRequest, fmt.Sprintf("%q is no day: write it as 2026-11-28.", text)}
	}
	return t, nil
}

// list reads the page of runs that the address names.
func (s *Server) list(r *http.Request, q ledger.Query) (l listing, err error) {
	v := r.URL.Query()
	if text := v.Get("before"); text != "" {
		if q.Before, err = cursor(text); err != nil {
			return l, err
		}
		l.Newest = withCursor(r.URL, "")
	}
	q.Limit = perPage + 1
	l.Runs, err = s.Ledger.Entries(r.Context(), q)
	if err == nil && len(l.Runs) > perPage {
		l.Runs = l.Runs[:perPage]
		last := l.Runs[perPage-1].Run
		l.Older = withCursor(r.URL, fmt.Sprintf("%d,%s", last.End.UnixMicro(), last.ID))
	}
	return l, err
}

// cursor reads a place in the list.
func cursor(text string) (c ledger.Cursor, err error) {
	micros, id, found := strings.Cut(text, ",")
	n, err := strconv.ParseInt(micros, 10, 64)
	if err != nil || !found || id == "" {
		return c, problem{http.StatusBadRequest, "The address is cut off: there is no such place in the list."}
	}
	return ledger.Cursor{End: time.UnixMicro(n), ID: id}, nil
}

// withCursor is the address with another place in the list.
func withCursor(u *url.URL, before string) string {
	v := u.Query()
	v.Del("before")
	v.Del("after")
	if before != "" {
		v.Set("before", before)
	}
	return (&url.URL{Path: u.Path, RawPath: u.RawPath, RawQuery: v.Encode()}).String()
}
