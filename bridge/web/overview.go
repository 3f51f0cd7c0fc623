package web

import (
	"net/http"
	"net/url"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/status"
)

// overview is the first page: what is wrong first.
func (s *Server) overview(w http.ResponseWriter, r *http.Request) error {
	now, err := s.status.get()
	data := struct {
		head
		status.Status
		Failure string // why the ledger can't be read; empty: it can
		Oldest  time.Duration
		Words   []backup.Status
		Day     string // today, as the search takes it
	}{head{Title: "Overview", Part: "overview"}, now, "", now.At.Sub(now.Backlog.Oldest),
		[]backup.Status{backup.Success, backup.Warning, backup.Failed}, now.At.In(s.zone()).Format(time.DateOnly)}
	if err != nil {
		data.Failure = err.Error()
	}
	for _, a := range now.Accounts { // only names that are known: the address may come from anywhere
		if a.Name == r.FormValue("polled") {
			data.Notice = a.Name + " is being polled."
		}
	}
	return s.show(w, http.StatusOK, "overview.html", data)
}

// poll has an account polled at once.
func (s *Server) poll(w http.ResponseWriter, r *http.Request) error {
	account := r.PostFormValue("account")
	if err := s.Bridge.PollNow(account); err != nil {
		return problem{http.StatusConflict, err.Error()}
	}
	http.Redirect(w, r, "/?polled="+url.QueryEscape(account), http.StatusSeeOther)
	return nil
}

func (s *Server) zone() *time.Location {
	if s.Zone == nil {
		return time.UTC
	}
	return s.Zone
}
