package web

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"

	"covebridge/bridge/backup"
	"covebridge/bridge/ledger"
	"covebridge/bridge/message"
)

// mailPolicy is that of a mail's HTML, shown in a frame: its own styles, and
// nothing that runs, loads, posts or leads away. Its origin is nobody's.
const mailPolicy = "sandbox; default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; frame-ancestors 'self'; base-uri 'none'"

// run shows one run, from first sight to delivery.
func (s *Server) run(w http.ResponseWriter, r *http.Request) error {
	e, events, err := s.Ledger.Entry(r.Context(), r.PathValue("run"))
	if err != nil {
		return err
	}
	data := struct {
		head
		backup.Entry
		Events []ledger.Event
		Mail   *message.Content // nil: there is none
		Broken string           // why the mail can't be shown
		Again  bool             // it can be sent again
	}{head: head{Title: e.Run.Job, Part: "runs"}, Entry: e, Events: events, Again: e.State != backup.EntrySending}
	if len(e.Mail) > 0 {
		mail, err := message.Read(bytes.NewReader(e.Mail))
		if err != nil {
			data.Broken = err.Error()
		} else {
			data.Mail = &mail
		}
	}
	if r.FormValue("queued") != "" && e.State != backup.EntryFailed {
		data.Notice = "It is queued. It goes out within seconds, unless the mailbox is ill."
	}
	return s.show(w, http.StatusOK, "run.html", data)
}

// why tells in a sentence why a run was or was not sent.
func why(e backup.Entry) string {
	switch e.State {
	case backup.EntryQueued:
		switch {
		case e.Reason != "":
			return "It waits for its next try, for the last one did not succeed: " + e.Reason
		case e.Doubt:
			return "It waits, and the mailbox is asked first whether it is there already."
		}
		return "It waits for its turn."
	case backup.EntrySending:
		return "It is on its way. Should the connection break, the mailbox is asked for it before it is sent again."
	case backup.EntrySent:
		return "The mailbox has it: " + e.Receipt
	case backup.EntryFailed:
		return "It was given up: " + e.Reason
	case backup.EntryFiltered:
		return "A filter stopped it: " + e.Reason
	case backup.EntryBaseline:
		return "It was over before covebridge first saw the device, or longer ago than poll.backfill."
	}
	return e.Reason
}

// mail gives a run's mail.
func (s *Server) mail(r *http.Request) (backup.Entry, error) {
	e, _, err := s.Ledger.Entry(r.Context(), r.PathValue("run"))
	if err == nil && len(e.Mail) == 0 {
		err = problem{http.StatusNotFound, "No mail is stored of this run."}
	}
	return e, err
}

// html is a mail's HTML part, for the frame.
func (s *Server) html(w http.ResponseWriter, r *http.Request) error {
	e, err := s.mail(r)
	if err != nil {
		return err
	}
	m, err := message.Read(bytes.NewReader(e.Mail))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Security-Policy", mailPolicy)
	w.Header().Set("X-Frame-Options", "SAMEORIGIN")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write([]byte(m.HTML)) // the visitor has gone
	return nil
}

// raw is a mail as it is stored, byte for byte.
func (s *Server) raw(w http.ResponseWriter, r *http.Request) error {
	e, err := s.mail(r)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Content-Disposition", fmt.Sprintf(`inline; filename="%s.eml"`, e.Run.ID)) // letters, digits, _, % and - only
	_, _ = w.Write(e.Mail)
	return nil
}

// resend queues a run once more.
func (s *Server) resend(w http.ResponseWriter, r *http.Request) error {
	e, err := s.Bridge.Resend(r.Context(), r.PathValue("run"))
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/runs/"+url.PathEscape(e.Run.ID)+"?queued=1", http.StatusSeeOther)
	return nil
}
