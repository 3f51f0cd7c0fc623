package mailbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/emersion/go-smtp"
)

// smtpConn is one connection, logged in.
type smtpConn struct {
	*smtp.Client
	*wire
	replyBytes    atomic.Int64 // bytes since the last command
	mails         int          // begun on it
	inTransaction bool         // in the middle of a mail that the server would not have
}

// mailsPerConnection keeps below what servers allow on one connection, as
// Postfix does by default for its own.
const mailsPerConnection = 50

func (c *smtpConn) reusable() bool {
	return !c.broken && c.mails < mailsPerConnection && time.Since(c.used) < maxIdle
}

func (c *smtpConn) close() { c.hangUp(func() { c.Quit() }) }

// maxReply is above all that a server says to one command.
const maxReply = 1 << 20

// limitReply ends a reply without an end, which the client would keep in memory.
func (c *smtpConn) limitReply(p []byte) error {
	if c.replyBytes.Add(int64(len(p))) > maxReply {
		return fmt.Errorf("the server's reply is longer than %d MiB", maxReply>>20)
	}
	return nil
}

// withTimeout is wire's; after an answer that ends the conversation (421, RFC 5321
// section 3.8), or one that is none of the command's, the connection is of no use.
func (c *smtpConn) withTimeout(ctx context.Context, limit time.Duration, do func() error) error {
	c.replyBytes.Store(0)
	err := c.wire.withTimeout(ctx, limit, do)
	var answer *smtp.SMTPError
	if errors.As(err, &answer) && (answer.Code == 421 || answer.Code < 400) {
		c.broken = true
	}
	return err
}

// dial connects, and logs in if there is a login.
func (m *SMTP) dial(ctx context.Context) (*smtpConn, error) {
	if m.o.Username != "" {
		return dialLogin(ctx, m.login, m.connect, m.authenticate)
	}
	c, err := m.connect(ctx)
	if err != nil {
		return nil, &connectError{err}
	}
	return c, nil
}

// connect brings about a connection with TLS as configured, and its EHLO.
func (m *SMTP) connect(ctx context.Context) (*smtpConn, error) {
	conn, raw, err := m.endpoint.dial(ctx)
	if err != nil {
		return nil, err
	}
	c := &smtpConn{wire: newWire(conn, raw, m.idleTimeout)}
	c.inspect = c.limitReply
	err = c.withTimeout(ctx, dialTimeout, func() (err error) {
		if m.endpoint.mode == "starttls" {
			if c.Client, err = smtp.NewClientStartTLS(c.wire, m.endpoint.tlsConfig()); err != nil {
				return err
			}
		} else {
			c.Client = smtp.NewClient(c.wire)
		}
		return c.Hello(localName())
	})
	if err != nil {
		raw.Close()
		return nil, err
	}
	return c, nil
}

// localName is what to say in EHLO (RFC 5321 section 4.1.1.1).
func localName() string {
	name, err := os.Hostname()
	if err != nil || name == "" || strings.ContainsAny(name, " \r\n\t") {
		return "localhost"
	}
	return name
}

func (m *SMTP) authenticate(c *smtpConn, token string) error {
	if !m.endpoint.private(c.raw) && !m.o.AllowPlaintext {
		return errPlaintext
	}
	mech, err := m.login.mechanism(c.SupportsAuth)
	if err != nil {
		return err
	}
	client := m.login.client(mech, token)
	err = c.Auth(client)
	answer := new(smtp.SMTPError)
	if !errors.As(err, &answer) {
		return err
	}
	hide := m.login.secrets(token).hide
	answer.Message = hide(answer.Message)
	if answer.Temporary() {
		return answer
	}
	var detail string
	if x, ok := client.(*xoauth2Client); ok {
		detail = oneLine(hide(x.failure))
	}
	return &loginError{answer, detail}
}

// errNoUTF8: the envelope needs SMTPUTF8, which the server has not.
var errNoUTF8 = errors.New("the address has letters beyond ASCII before its @, and the server takes no such addresses")

// send gives the mail to the server, and tells what it said and how far the
// mail got. finalReplyTimeout is how long the server may think about it.
func (c *smtpConn) send(ctx context.Context, mail Mail, finalReplyTimeout time.Duration) (said string, at step, err error) {
	from, to, options, err := c.envelope(mail)
	if err != nil {
		return "", inEnvelope, err
	}
	c.mails++
	silence := c.idleTimeout
	defer c.setIdleTimeout(silence)
	err = c.withTimeout(ctx, batchTimeout+finalReplyTimeout, func() error {
		if c.inTransaction {
			if err := c.Reset(); err != nil {
				c.broken = true
				return &stepError{"begin anew", err}
			}
			c.inTransaction = false
		}
		if err := c.Mail(from, options); err != nil {
			return &stepError{"send as " + from, &addressError{err, hintSender}}
		}
		c.inTransaction = true
		for _, to := range to {
			if err := c.Rcpt(to, nil); err != nil {
				return &stepError{"send to " + to, &addressError{err, hintTo}}
			}
		}
		data, err := c.Data()
		if err != nil {
			return &stepError{"send", err}
		}
		at = inData
		if _, err := data.Write(mail.Bytes); err != nil {
			return &stepError{"send", err}
		}
		at = sentDot
		c.setIdleTimeout(finalReplyTimeout)
		response, err := data.CloseWithResponse()
		c.inTransaction = false
		if answer := new(smtp.SMTPError); errors.As(err, &answer) && answer.Code/100 == 2 {
			said = answer.Message // not 250, and taken all the same (2yz, RFC 5321 section 4.2.1)
			return nil
		}
		if err != nil {
			return &stepError{"send", err}
		}
		said = response.StatusText
		return nil
	})
	return said, at, err
}

// envelope are the addresses as they go over the wire; letters beyond ASCII
// need a server with SMTPUTF8 (RFC 6531).
func (c *smtpConn) envelope(mail Mail) (from string, to []string, o *smtp.MailOptions, err error) {
	o = &smtp.MailOptions{Size: int64(len(mail.Bytes))}
	take := func(step, s string) string {
		address, ascii := envelopeAddress(s)
		if !ascii {
			if o.UTF8, _ = c.Extension("SMTPUTF8"); !o.UTF8 && err == nil {
				err = &stepError{step + " " + oneLine(s), errNoUTF8}
			}
		}
		return address
	}
	from = take("send as", mail.From)
	for _, s := range mail.To {
		to = append(to, take("send to", s))
	}
	return from, to, o, err
}
