// Package message turns a run into the mail that tells of it: a subject, a
// text and an HTML part made by templates, and the MIME around them.
//
// The same run always gives the same bytes. Texts of the product are data:
// whatever they hold, they stay on their own line, start no header, no line
// that the parser rule reads, and no tag.
package message

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"net/mail"
	"net/url"
	"strings"
	"time"

	"covebridge/bridge/backup"
)

// Options say how mails are made.
type Options struct {
	From      string         // one address (RFC 5322 section 3.4), with or without a name
	To        []string       // at least one
	Templates string         // a directory whose files replace the templates of the same name; empty: none
	Console   string         // where the link to a device's console goes: "off": nowhere; with {id} in it: there; else where the product says
	Location  *time.Location // the zone in which times are shown; nil: UTC
}

// Mail is a complete message, ready for a mailbox.
type Mail struct {
	MessageID string    // without the angle brackets
	Date      time.Time // the run's end; for INTERNALDATE
	Subject   string    // decoded, on one line
	Bytes     []byte    // RFC 5322, every line ended by CRLF
}

// Renderer makes mails. It can be used by several goroutines at once.
type Renderer struct {
	from, to  []string // header tokens
	clock     clock
	console   string
	templates *set
}

// New reads the addresses and the templates, and tries each template on a few
// runs. A broken one is a *TemplateError.
func New(o Options) (*Renderer, error) {
	from, err := mail.ParseAddress(o.From)
	if err != nil {
		return nil, fmt.Errorf("mail.from %q is no mail address: %w", o.From, err)
	}
	var to []*mail.Address
	for _, s := range o.To {
		a, err := mail.ParseAddress(s)
		if err != nil {
			return nil, fmt.Errorf("mail.to %q is no mail address: %w", s, err)
		}
		to = append(to, a)
	}
	if len(to) == 0 {
		return nil, fmt.Errorf("mail.to is empty: name the mailbox that Backupchecks reads")
	}
	r := &Renderer{
		from:    addresses([]*mail.Address{from}, len("From:")),
		to:      addresses(to, len("To:")),
		console: o.Console,
		clock:   clock{cmp.Or(o.Location, time.UTC)},
	}
	if r.templates, err = load(o.Templates, r.clock); err != nil {
		return nil, err
	}
	for _, run := range samples() {
		if _, err := r.Render(run); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// Render makes the mail of a run. It fails only where a template of the
// administrator's does, with a *TemplateError.
func (r *Renderer) Render(run backup.Run) (Mail, error) {
	m := Mail{MessageID: ID(run.ID), Date: date(run, r.clock.loc)}
	switch {
	case r.console == "off":
		run.Device.Console = ""
	case strings.Contains(r.console, "{id}"):
		run.Device.Console = strings.ReplaceAll(r.console, "{id}", url.PathEscape(run.Device.ID))
	}
	run = clean(run)
	v := r.clock.view(run)

	subject, err := r.templates.subject(v)
	if err != nil {
		return Mail{}, err
	}
	m.Subject = truncate(subject, maxName)
	if m.Subject == "" {
		m.Subject = fmt.Sprintf("[%s] %s: %s", v.Brand, run.Status, truncate(run.Job, maxWord))
	}
	text, err := r.templates.text(v)
	if err != nil {
		return Mail{}, err
	}
	html, err := r.templates.html(v)
	if err != nil {
		return Mail{}, err
	}
	m.Bytes, err = r.write(run, m.MessageID, m.Subject, m.Date, text, html)
	if err != nil {
		return Mail{}, fmt.Errorf("write mail of run %s: %w", run.ID, err)
	}
	return m, nil
}

// ID is the Message-ID of a run's mail, without its angle brackets (RFC 5322
// section 3.6.4). It follows from the run's identity alone.
func ID(runID string) string {
	var b strings.Builder
	for i := range len(runID) {
		c := runID[i]
		if c == '-' || c == '_' || c == '%' || '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' {
			b.WriteByte(c)
		} else { // backup.Identity makes none such; an identity from elsewhere still gives a valid one
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	if b.Len() == 0 || b.Len() > 300 {
		return fmt.Sprintf("%x@covebridge", sha256.Sum256([]byte(runID)))
	}
	return b.String() + "@covebridge"
}

// date is when the run ended, as far as a mail can say it.
func date(run backup.Run, loc *time.Location) time.Time {
	for _, t := range []time.Time{run.End, run.Start} {
		if t = t.In(loc).Truncate(time.Second); mailable(t) {
			return t
		}
	}
	return time.Unix(0, 0).In(loc)
}
