package web

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"covebridge/bridge/finding"
	"covebridge/bridge/status"
)

// harmless are the findings that hinder no run to come.
var harmless = []string{finding.MailsGivenUp.Name, status.Filtered.Name}

// health says whether the process is to be left alone: it lives, and its loops
// get on. What is wrong around it is no reason to start it anew.
func (s *Server) health(w http.ResponseWriter, r *http.Request) {
	if err := s.Bridge.Stalled(); err != nil {
		text := "stalled"
		if s.Token == "" || s.isAuthorized(r) {
			text += ": " + err.Error()
		}
		http.Error(w, text, http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ok")
}

// ready says whether runs come through: the ledger can be read, and nothing of
// the worst kind stands in the way. Findings are told by name only, for this
// needs no token.
func (s *Server) ready(w http.ResponseWriter, _ *http.Request) {
	now, err := s.status.get()
	if err != nil {
		http.Error(w, "not ready: the ledger can't be read", http.StatusServiceUnavailable)
		return
	}
	var names []string
	for _, f := range now.Findings {
		if f.Severity == finding.Failed && !slices.Contains(harmless, f.Name) && !slices.Contains(names, f.Name) {
			names = append(names, f.Name)
		}
	}
	if len(names) > 0 {
		http.Error(w, "not ready: "+strings.Join(names, ", "), http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ready")
}
