package mailbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/emersion/go-smtp"
)

// smtpConn is one connection, logged in.
type smtpConn struct {
	*smtp.Client
	raw    net.Conn // closing it ends every wait of the client
	used   time.Time
	mails  int  // sent on it
	broken bool // something went wrong; nobody knows where in the conversation it is
}

// mailsPerConnection keeps below what servers allow on one connection, as
// Postfix does by default for its own.
const mailsPerConnection = 50

func (c *smtpConn) fit() bool {
	return !c.broken && c.mails < mailsPerConnection && time.Since(c.used) < idleTime
}

func (c *smtpConn) close() {
	if !c.broken {
		// QUIT's answer is of no use, and waiting for it only costs time.
		c.CommandTimeout = time.Second
		c.raw.SetDeadline(time.Now().Add(time.Second))
		c.Quit()
	}
	c.raw.Close()
}

// within does what talks to the server; see imapConn.
func (c *smtpConn) within(ctx context.Context, limit time.Duration, do func() error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { c.raw.Close() })
	err := do()
	ended := !stop()
	if err != nil || ended {
		c.broken = true
	}
	var answer *smtp.SMTPError
	switch {
	case err == nil || errors.As(err, &answer):
		c.used = time.Now()
		return err
	default:
		return noAnswer(ctx, err)
	}
}

// alive asks for an answer, for servers close idle connections soon.
func (c *smtpConn) alive(ctx context.Context) error {
	if c.mails == 0 { // just dialled
		return nil
	}
	return c.within(ctx, commandTimeout, c.Noop)
}

// dial connects and logs in; see IMAP.dial.
func (m *SMTP) dial(ctx context.Context) (*smtpConn, error) {
	c, token, err := m.dialWith(ctx, "")
	if refused := new(loginError); token != "" && errors.As(err, &refused) {
		c, _, err = m.dialWith(ctx, token)
	}
	return c, err
}

func (m *SMTP) dialWith(ctx context.Context, refused string) (c *smtpConn, token string, err error) {
	if strings.EqualFold(m.o.Auth, xoauth2Name) && m.o.Token != nil && m.o.Username != "" {
		if token, err = m.o.Token.Token(ctx, refused); err != nil {
			return nil, "", err
		}
	}
	if c, err = m.connect(ctx); err != nil {
		return nil, token, &connectError{err}
	}
	if m.o.Username == "" {
		return c, "", nil
	}
	err = c.within(ctx, commandTimeout, func() error { return m.authenticate(c, token) })
	if err != nil {
		c.close()
		return nil, token, &stepError{"log in as " + m.o.Username, m.login.secrets(token).clean(err)}
	}
	return c, token, nil
}

// connect brings about a connection with TLS as configured, and its EHLO.
func (m *SMTP) connect(ctx context.Context) (*smtpConn, error) {
	conn, raw, err := m.end.dial(ctx)
	if err != nil {
		return nil, err
	}
	c := &smtpConn{raw: raw}
	err = c.within(ctx, dialTimeout, func() (err error) {
		if m.end.mode == "starttls" {
			if c.Client, err = smtp.NewClientStartTLS(conn, m.end.tlsConfig()); err != nil {
				return err
			}
		} else {
			c.Client = smtp.NewClient(conn)
		}
		return c.Hello(localName())
	})
	if err != nil {
		raw.Close()
		return nil, err
	}
	return c, nil
}

// localName is what to say in EHLO.
func localName() string {
	name, err := os.Hostname()
	if err != nil || name == "" || strings.ContainsAny(name, " \r\n\t") {
		return "localhost"
	}
	return name
}

func (m *SMTP) authenticate(c *smtpConn, token string) error {
	if !m.end.private(c.raw) && !m.o.AllowPlaintext {
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
		detail = hide(x.failure)
	}
	return &loginError{answer, detail}
}

// send gives the mail to the server, and tells what it said. sent tells
// whether the final dot was on its way: without it, no server delivers
// (RFC 5321 section 4.1.1.4); with it and no answer, nobody knows (RFC 1047).
func (c *smtpConn) send(ctx context.Context, mail Mail) (said string, sent bool, err error) {
	c.mails++
	err = c.within(ctx, appendTimeout, func() error {
		from := address(mail.From)
		if err := c.Mail(from, &smtp.MailOptions{Size: int64(len(mail.Bytes))}); err != nil {
			return &stepError{"send as " + from, err}
		}
		for _, to := range mail.To {
			if err := c.Rcpt(address(to), nil); err != nil {
				return &stepError{fmt.Sprintf("send to %s", address(to)), err}
			}
		}
		data, err := c.Data()
		if err != nil {
			return &stepError{"send", err}
		}
		if _, err := io.Copy(data, bytes.NewReader(mail.Bytes)); err != nil {
			return &stepError{"send", err}
		}
		sent = true
		response, err := data.CloseWithResponse()
		if err != nil {
			return &stepError{"send", err}
		}
		said = response.StatusText
		return nil
	})
	return said, sent, err
}
