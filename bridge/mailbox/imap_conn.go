package mailbox

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-sasl"
)

// imapConn is one connection, logged in.
type imapConn struct {
	*imapclient.Client
	*wire
	lines      *imapLines
	fetched    *fetchCollector
	folderSeen bool // the target folder is there, as far as is known
}

// maxIdle is for how long an unused connection is kept. Firewalls forget
// connections silently, and a dead one is found out only by waiting.
const maxIdle = time.Minute

// aliveFor is for how long a connection is taken to be alive after it was used.
const aliveFor = 5 * time.Second

// newIMAPConn does not wait for the greeting yet.
func newIMAPConn(conn, raw net.Conn, idleTimeout time.Duration) *imapConn {
	c := &imapConn{wire: newWire(conn, raw, idleTimeout), lines: new(imapLines), fetched: new(fetchCollector)}
	c.inspect = c.lines.scan
	c.Client = imapclient.New(c.wire, &imapclient.Options{
		UnilateralDataHandler: &imapclient.UnilateralDataHandler{Fetch: c.fetched.take},
	})
	return c
}

func (c *imapConn) reusable() bool {
	select {
	case <-c.Closed():
		return false
	default:
		return !c.broken && time.Since(c.used) < maxIdle
	}
}

// close says goodbye, as far as that needs no waiting.
func (c *imapConn) close() {
	c.hangUp(func() {
		if c.State() != imap.ConnStateLogout {
			c.Logout()
		}
	})
	<-c.Closed()
}

// withTimeout is wire's, and keeps why the server hung up.
func (c *imapConn) withTimeout(ctx context.Context, limit time.Duration, do func() error) error {
	err := c.wire.withTimeout(ctx, limit, do)
	if err == nil || isServerReply(err) {
		return err
	}
	if bye := c.lines.goodbye(); bye != "" {
		return &goodbyeError{bye, err}
	}
	return err
}

// dial connects and logs in.
func (m *IMAP) dial(ctx context.Context) (*imapConn, error) {
	return dialLogin(ctx, m.login, m.connect, m.authenticate)
}

// connect brings about a connection with TLS as configured, and its greeting.
func (m *IMAP) connect(ctx context.Context) (*imapConn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, raw, err := m.endpoint.dial(ctx)
	if err != nil {
		return nil, err
	}
	if m.endpoint.mode == "starttls" {
		if conn, err = startTLS(ctx, raw, m.endpoint.tlsConfig()); err != nil {
			raw.Close()
			return nil, err
		}
	}
	c := newIMAPConn(conn, raw, m.idleTimeout)
	if err := c.withTimeout(ctx, dialTimeout, c.WaitGreeting); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// authenticate logs in, where the greeting did not say that it is not needed
// (PREAUTH, RFC 9051 section 7.1.4).
func (m *IMAP) authenticate(c *imapConn, token string) error {
	if c.State() == imap.ConnStateAuthenticated {
		return nil
	}
	if !m.endpoint.private(c.raw) && !m.o.AllowPlaintext {
		return errPlaintext
	}
	caps := c.Caps()
	mech, err := m.login.mechanism(func(mech string) bool {
		if mech == sasl.Login { // in IMAP, the command of that name (RFC 9051 section 6.2.3)
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
	return &loginError{answer, oneLine(hide(detail))}
}

// alive asks for an answer, unless there was one a moment ago.
func (c *imapConn) alive(ctx context.Context) error {
	if time.Since(c.used) < aliveFor {
		return nil
	}
	return c.withTimeout(ctx, commandTimeout, func() error { return c.Noop().Wait() })
}
