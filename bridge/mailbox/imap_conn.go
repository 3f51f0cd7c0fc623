package mailbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-sasl"
)

// imapConn is one connection, logged in.
type imapConn struct {
	*imapclient.Client
	raw      net.Conn  // closing it ends every wait of the client
	used     time.Time // when the server last answered
	examined bool      // the target folder was seen on it
	broken   bool      // a wait was ended by closing it
}

// errNoFolder: the server says that it has no such folder.
var errNoFolder = errors.New("the folder is missing")

// idleTime is for how long an unused connection is kept. Firewalls forget
// connections silently, and a dead one is found out only by waiting.
const idleTime = time.Minute

func (c *imapConn) fit() bool {
	select {
	case <-c.Closed():
		return false
	default:
		return !c.broken && time.Since(c.used) < idleTime
	}
}

// close says goodbye, as far as that needs no waiting.
func (c *imapConn) close() {
	if !c.broken && c.State() != imap.ConnStateLogout {
		c.raw.SetWriteDeadline(time.Now().Add(time.Second))
		c.Logout()
	}
	c.raw.Close()
	<-c.Closed()
}

// within does what talks to the server. No call of the client ends by itself
// when the server falls silent: the connection is closed under it when ctx or
// the time ends.
func (c *imapConn) within(ctx context.Context, limit time.Duration, do func() error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { c.raw.Close() })
	err := do()
	if !stop() {
		c.broken = true
	}
	var answer *imap.Error
	switch {
	case err == nil || errors.As(err, &answer):
		c.used = time.Now()
		return err
	default:
		c.broken = true
		return noAnswer(ctx, err)
	}
}

// dial connects and logs in. A token that the server refuses is renewed once,
// on a new connection: after a failed AUTHENTICATE the old one is of no use.
func (m *IMAP) dial(ctx context.Context) (*imapConn, error) {
	c, token, err := m.dialWith(ctx, "")
	if refused := new(loginError); token != "" && errors.As(err, &refused) {
		c, _, err = m.dialWith(ctx, token)
	}
	return c, err
}

func (m *IMAP) dialWith(ctx context.Context, refused string) (c *imapConn, token string, err error) {
	if strings.EqualFold(m.o.Auth, xoauth2Name) && m.o.Token != nil {
		if token, err = m.o.Token.Token(ctx, refused); err != nil {
			return nil, "", err
		}
	}
	if c, err = m.connect(ctx); err != nil {
		return nil, token, &connectError{err}
	}
	err = c.within(ctx, commandTimeout, func() error { return m.authenticate(c, token) })
	if err != nil {
		c.close()
		return nil, token, &stepError{"log in as " + m.o.Username, m.login.secrets(token).clean(err)}
	}
	return c, token, nil
}

// connect brings about a connection with TLS as configured, and its greeting.
func (m *IMAP) connect(ctx context.Context) (*imapConn, error) {
	conn, raw, err := m.end.dial(ctx)
	if err != nil {
		return nil, err
	}
	if m.end.mode == "starttls" {
		return m.startTLS(ctx, raw)
	}
	c := &imapConn{Client: imapclient.New(conn, nil), raw: raw}
	if err := c.within(ctx, dialTimeout, c.WaitGreeting); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// startTLS waits apart from the client: an answer that is cut off after its
// OK leaves the client waiting for good, even when the connection is closed.
func (m *IMAP) startTLS(ctx context.Context, raw net.Conn) (*imapConn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	type outcome struct {
		client *imapclient.Client
		err    error
	}
	done := make(chan outcome, 1)
	go func() {
		client, err := imapclient.NewStartTLS(raw, &imapclient.Options{TLSConfig: m.end.tlsConfig()})
		done <- outcome{client, err}
	}()
	select {
	case o := <-done:
		if o.err != nil {
			raw.Close()
			return nil, o.err
		}
		return &imapConn{Client: o.client, raw: raw, used: time.Now()}, nil
	case <-ctx.Done():
		raw.Close()
		return nil, noAnswer(ctx, nil)
	}
}

// authenticate logs in, where the greeting did not say that it is not needed.
func (m *IMAP) authenticate(c *imapConn, token string) error {
	if c.State() == imap.ConnStateAuthenticated {
		return nil
	}
	if !m.end.private(c.raw) && !m.o.AllowPlaintext {
		return errPlaintext
	}
	caps := c.Caps()
	mech, err := m.login.mechanism(func(mech string) bool {
		if mech == sasl.Login { // in IMAP, the command of that name
			return !caps.Has(imap.CapLoginDisabled)
		}
		return caps.Has(imap.AuthCap(mech))
	})
	if err != nil {
		return err
	}
	var detail string
	if mech == sasl.Login {
		err = c.Login(m.o.Username, m.o.Password).Wait()
	} else {
		client := m.login.client(mech, token)
		err = c.Authenticate(client)
		if x, ok := client.(*xoauth2Client); ok {
			detail = x.failure
		}
	}
	answer := new(imap.Error)
	if !errors.As(err, &answer) {
		return err
	}
	hide := m.login.secrets(token).hide
	answer.Text = hide(answer.Text)
	if transient(answer) {
		return answer
	}
	return &loginError{answer, hide(detail)}
}

// alive asks for an answer, unless there was one a moment ago.
func (c *imapConn) alive(ctx context.Context) error {
	if time.Since(c.used) < fresh {
		return nil
	}
	return c.within(ctx, commandTimeout, func() error { return c.Noop().Wait() })
}

// examine opens the folder for reading, which changes nothing in it.
func (c *imapConn) examine(ctx context.Context, folder string) (*imap.SelectData, error) {
	var box *imap.SelectData
	err := c.within(ctx, commandTimeout, func() (err error) {
		box, err = c.Select(folder, &imap.SelectOptions{ReadOnly: true}).Wait()
		if answer := new(imap.Error); !errors.As(err, &answer) || transient(answer) || answer.Type == imap.StatusResponseTypeBad {
			return err
		}
		// Servers say in many ways that a folder is missing; the list is sure.
		if there, listErr := c.lists(folder); listErr != nil {
			return listErr
		} else if !there {
			return fmt.Errorf("%w: %w", errNoFolder, err)
		}
		return err
	})
	return box, err
}

// lists tells whether the folder exists.
func (c *imapConn) lists(folder string) (bool, error) {
	found, err := c.List("", folder, nil).Collect()
	if err != nil {
		return false, err
	}
	for _, f := range found {
		gone := false
		for _, attr := range f.Attrs {
			gone = gone || attr == imap.MailboxAttrNonExistent || attr == imap.MailboxAttrNoSelect
		}
		if !gone && (f.Mailbox == folder || strings.EqualFold(folder, "INBOX") && strings.EqualFold(f.Mailbox, folder)) {
			return true, nil
		}
	}
	return false, nil
}

// create makes the folder and subscribes to it, so that mail programs show it.
func (c *imapConn) create(ctx context.Context, folder string) error {
	return c.within(ctx, commandTimeout, func() error {
		err := c.Create(folder, nil).Wait()
		if answer := new(imap.Error); errors.As(err, &answer) && answer.Code == imap.ResponseCodeAlreadyExists {
			err = nil // another connection was first
		}
		if err == nil {
			c.Subscribe(folder).Wait() // only a convenience
		}
		return err
	})
}

// append sends the mail and waits for the answer.
func (c *imapConn) append(ctx context.Context, folder string, mail Mail) (data *imap.AppendData, err error) {
	err = c.within(ctx, appendTimeout, func() (err error) {
		cmd := c.Append(folder, int64(len(mail.Bytes)), &imap.AppendOptions{Time: mail.Date})
		_, writeErr := cmd.Write(mail.Bytes)
		closeErr := cmd.Close()
		// After a refusal in place of the go-ahead the client closes the connection.
		c.broken = writeErr != nil || closeErr != nil
		data, err = cmd.Wait()
		return err
	})
	return data, err
}
