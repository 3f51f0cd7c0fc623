package mailbox

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

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
	Inbox          *IMAP       // the mailbox that the mails arrive in, to ask it; nil: can't be asked
	From           string      // for Check: sender and recipients to try
	To             []string
}

// SMTP gives mails to a server.
type SMTP struct {
	o        SMTPOptions
	endpoint endpoint
	login    login
	pool     *pool[*smtpConn]
	rate     *rate.Limiter

	idleTimeout, finalReplyTimeout time.Duration // see wire; the latter while the server takes a mail in
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
		o:        o,
		endpoint: endpoint{o.Address, o.TLS, o.TLSConfig},
		login:    login{o.Username, o.Password, o.Auth, o.Token},
		rate:     rate.NewLimiter(limit, 1),

		idleTimeout: defaultIdleTimeout, finalReplyTimeout: defaultFinalReplyTimeout,
	}
	m.pool = newPool(o.Connections, m.dial)
	return m
}

func (e endpoint) exchangeOnline() bool {
	host := strings.ToLower(strings.TrimSuffix(e.host(), "."))
	return host == "smtp.office365.com" || strings.HasSuffix(host, ".mail.protection.outlook.com")
}

// Close ends idle connections; deliveries under way end by themselves. It
// does not close Inbox.
func (m *SMTP) Close() error {
	m.pool.close()
	return nil
}

// Find asks the IMAP mailbox beside it, or returns ErrCannotAsk.
func (m *SMTP) Find(ctx context.Context, queries []Query) ([]Found, error) {
	if m.o.Inbox == nil {
		return nil, ErrCannotAsk
	}
	found, err := m.o.Inbox.Find(ctx, queries)
	if err != nil {
		return nil, err
	}
	var settle time.Duration
	for i, f := range found {
		if sent, ok := strings.CutPrefix(queries[i].Mark, smtpMark); ok && !f.Found {
			seconds, _ := strconv.ParseInt(sent, 10, 64)
			if left := queueTime - time.Since(time.Unix(seconds, 0)); left <= queueTime {
				settle = max(settle, left)
			}
		}
	}
	if settle > 0 {
		return nil, &Error{Op: "smtp " + m.o.Address, Text: "a mail may still be in the server's queue", AskAgainAfter: settle}
	}
	return found, nil
}

// Deliver sends each mail to all its recipients or to none: if one of them is
// refused, the mail is not sent. The mails go one after the other on one
// connection, at the rate that is set, so that a batch may take its time. The
// receipts hold what the server said to the mails, as a rule its queue ids.
// Once the server is ill, the rest is not tried.
func (m *SMTP) Deliver(ctx context.Context, mails []Mail, begin func(mark string) error) []Result {
	if len(mails) == 0 {
		return nil
	}
	if err := m.awaitRate(ctx); err != nil {
		return sameResult(mails, err)
	}
	c, err := m.pool.get(ctx, func(context.Context, *smtpConn) error { return nil })
	if err != nil {
		return sameResult(mails, m.fail(err))
	}
	defer func() { m.pool.put(c) }()
	if err := begin(smtpMark + strconv.FormatInt(time.Now().Unix(), 10)); err != nil {
		return sameResult(mails, err)
	}
	results := make([]Result, len(mails))
	for i := range mails {
		if i > 0 {
			err = m.awaitRate(ctx)
		}
		if err == nil {
			results[i].Receipt, err = m.sendRetrying(ctx, &c, mails[i])
		}
		results[i].Err = err
		if err == nil {
			continue
		}
		if cl := classOf(err); cl == Unavailable || cl == Unknown {
			for j := range results[i+1:] { // they were not begun
				results[i+1+j].Err = unavailable(err)
			}
			return results
		}
		err = nil
	}
	return results
}

// unavailable gives the error to a mail that it kept from being begun.
func unavailable(err error) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	other := *e
	other.Class = Unavailable
	return &other
}

// sendRetrying sends the mail on the connection, or on a new one where that can't be
// used: a server closes idle connections, and those that had their share.
// Without the final dot no server delivers (RFC 5321 section 4.1.1.4), so a
// mail that did not get there can go out anew.
func (m *SMTP) sendRetrying(ctx context.Context, c **smtpConn, mail Mail) (receipt string, err error) {
	for {
		if !(*c).reusable() {
			(*c).close()
			again, err := m.pool.dialReady(ctx, func(context.Context, *smtpConn) error { return nil })
			if err != nil {
				return "", m.fail(err)
			}
			*c = again
		}
		used := (*c).mails > 0
		said, at, err := (*c).send(ctx, mail, m.finalReplyTimeout)
		if err == nil {
			return "smtp " + oneLine(said), nil
		}
		if used && at < sentDot && (*c).lost(err) && ctx.Err() == nil {
			continue // it was closed since its last mail
		}
		return "", m.failSend(err, at)
	}
}

// lost tells of a connection that was closed from the other side.
func (c *smtpConn) lost(err error) bool {
	return c.broken && !isServerReply(err) && !errors.Is(err, os.ErrDeadlineExceeded)
}

// awaitRate keeps the rate.
func (m *SMTP) awaitRate(ctx context.Context) error {
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
