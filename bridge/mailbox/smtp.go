package mailbox

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/mail"
	"strconv"
	"strings"
	"time"

	"github.com/emersion/go-smtp"
	"golang.org/x/time/rate"
)

// SMTPOptions say which server mails are given to.
type SMTPOptions struct {
	Address        string // host:port
	TLS            string // "tls", "starttls" or "none"
	Username       string // empty: no login
	Password       string
	Auth           string      // "plain" (or empty), "login" or "xoauth2"
	Token          TokenSource // for xoauth2
	Rate           int         // mails a minute; 0: 30 for Exchange Online, else without limit; below 0: without limit
	Connections    int         // at most this many at a time; 0: 3 for Exchange Online, else 2
	AllowPlaintext bool        // send the password unencrypted even to another machine
	TLSConfig      *tls.Config // nil: the system's authorities
	Ask            *IMAP       // the mailbox that the mails arrive in, to ask it; nil: can't be asked
	From           string      // for Check: sender and recipients to try
	To             []string
}

// SMTP gives mails to a server.
type SMTP struct {
	o     SMTPOptions
	end   endpoint
	login login
	pool  *pool[*smtpConn]
	rate  *rate.Limiter
}

// smtpMark is what begin gets: when the mail was given to the server, which
// can't be asked, in Unix seconds.
const smtpMark = "smtp:"

// queueTime is how long a mail is given to get from the server's queue into
// the mailbox beside it, before it is called missing there.
const queueTime = 2 * time.Minute

// NewSMTP does not connect yet.
func NewSMTP(o SMTPOptions) *SMTP {
	// Exchange Online's limits for one mailbox ("Exchange Online limits", sending limits).
	if (endpoint{address: o.Address}).exchangeOnline() {
		if o.Rate == 0 {
			o.Rate = 30
		}
		if o.Connections <= 0 {
			o.Connections = 3
		}
	}
	if o.Connections <= 0 {
		o.Connections = 2
	}
	limit := rate.Inf
	if o.Rate > 0 {
		limit = rate.Every(time.Minute / time.Duration(o.Rate))
	}
	m := &SMTP{
		o:     o,
		end:   endpoint{o.Address, o.TLS, o.TLSConfig},
		login: login{o.Username, o.Password, o.Auth, o.Token},
		rate:  rate.NewLimiter(limit, 1),
	}
	m.pool = newPool(o.Connections, m.dial)
	return m
}

func (e endpoint) exchangeOnline() bool {
	host := strings.ToLower(strings.TrimSuffix(e.host(), "."))
	return host == "smtp.office365.com" || strings.HasSuffix(host, ".mail.protection.outlook.com")
}

// Close ends idle connections; deliveries under way end by themselves. It
// does not close Ask.
func (m *SMTP) Close() error {
	m.pool.close()
	return nil
}

// Find asks the IMAP mailbox beside it, or returns ErrCannotAsk.
func (m *SMTP) Find(ctx context.Context, messageID, mark string, since time.Time) (receipt string, found bool, err error) {
	if m.o.Ask == nil {
		return "", false, ErrCannotAsk
	}
	receipt, found, err = m.o.Ask.Find(ctx, messageID, mark, since)
	if sent, ok := strings.CutPrefix(mark, smtpMark); ok && err == nil && !found {
		seconds, _ := strconv.ParseInt(sent, 10, 64)
		if left := queueTime - time.Since(time.Unix(seconds, 0)); left > 0 && left <= queueTime {
			return "", false, &Error{Op: "smtp " + m.o.Address, Text: "the mail may still be in the server's queue", Settle: left}
		}
	}
	return receipt, found, err
}

// Deliver sends the mail to all its recipients or to none: if one is refused,
// the mail is not sent. The receipt holds what the server said to the mail,
// as a rule its queue id.
func (m *SMTP) Deliver(ctx context.Context, mail Mail, begin func(mark string) error) (receipt string, err error) {
	if err := m.wait(ctx); err != nil {
		return "", err
	}
	c, err := m.pool.take(ctx, func(ctx context.Context, c *smtpConn) error { return c.alive(ctx) })
	if err != nil {
		return "", m.fail(err)
	}
	defer func() { m.pool.put(c) }()
	if err := begin(smtpMark + strconv.FormatInt(time.Now().Unix(), 10)); err != nil {
		return "", err
	}
	said, sent, err := c.send(ctx, mail)
	if err != nil {
		return "", m.failSend(err, sent)
	}
	return "smtp " + oneLine(said), nil
}

// wait keeps the rate.
func (m *SMTP) wait(ctx context.Context) error {
	reserved := m.rate.Reserve()
	delay := reserved.Delay()
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < delay {
		reserved.Cancel()
		return &Error{Op: "smtp " + m.o.Address, Text: fmt.Sprintf("the limit of %d mails a minute is reached", m.o.Rate), RetryAfter: delay}
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		reserved.Cancel()
		return m.fail(ctx.Err())
	}
}

// failSend is the error after begin. sent tells whether the final dot was on its way.
func (m *SMTP) failSend(err error, sent bool) *Error {
	e := m.fail(err)
	var answer *smtp.SMTPError
	switch {
	case !errors.As(err, &answer):
		if sent {
			e.Class = Unknown
		}
	case !answer.Temporary() && !wantsLogin(answer):
		e.Class = Refused
	}
	return e
}

// wantsLogin tells of a refusal that is about the login, not about the mail.
func wantsLogin(e *smtp.SMTPError) bool {
	return e.Code == 530 || e.Code == 534 || e.Code == 535 || e.Code == 538
}

// fail is the error of everything else: Temporary, for nothing was sent.
func (m *SMTP) fail(err error) *Error {
	e, complete := failedStep("smtp "+m.o.Address, err)
	if complete {
		return e
	}
	var (
		answer  *smtp.SMTPError
		refused *loginError
		failed  *connectError
	)
	if errors.As(err, &answer) {
		hidden := *answer
		hidden.Message = m.login.secrets("").hide(answer.Message)
		e.Err = &hidden
		e.Text = smtpText(&hidden)
		e.Hint = m.login.smtpHint(answer)
		e.RetryAfter = suggestedBackoff(answer.Message)
		if answer.Code == 421 || answer.Code == 432 {
			e.RetryAfter = max(e.RetryAfter, time.Minute)
		}
	}
	switch {
	case errors.As(err, &refused):
		e.RetryAfter = max(e.RetryAfter, loginPause)
		if refused.detail != "" {
			e.Text += " " + refused.detail
		}
	case errors.As(err, &failed):
		e.Op += ": connect"
		if e.Hint == "" {
			e.Hint = m.connectHint(err, answer)
		}
	case errors.Is(err, errPlaintext):
		e.Hint = plaintextHint
	}
	return e
}

// connectHint says what to do about a connection that was not made, or that
// the server would not have; answer is nil where it said nothing.
func (m *SMTP) connectHint(err error, answer *smtp.SMTPError) string {
	switch {
	case answer != nil && !answer.Temporary():
		return "the server does not take connections from here: check the address, and let this machine's address in there"
	case strings.Contains(err.Error(), "doesn't support STARTTLS"): // the client has no error of its own for it
		return "the server has no STARTTLS on this port: use tls: tls with its TLS port, as a rule 465, or its port for STARTTLS, as a rule 587"
	}
	return m.end.dialHint(err)
}

func smtpText(e *smtp.SMTPError) string {
	text := fmt.Sprint(e.Code)
	if e.EnhancedCode != (smtp.EnhancedCode{}) {
		text += fmt.Sprintf(" %d.%d.%d", e.EnhancedCode[0], e.EnhancedCode[1], e.EnhancedCode[2])
	}
	return oneLine(text + " " + e.Message)
}

// address is what goes into the envelope, also where a name stands before it.
func address(s string) string {
	if a, err := mail.ParseAddress(s); err == nil {
		return a.Address
	}
	return s
}
