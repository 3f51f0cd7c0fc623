package mailbox

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-imap/v2"
)

// IMAPOptions say which folder mails are put in, and how to get there.
type IMAPOptions struct {
	Address        string // host:port
	TLS            string // "tls", "starttls" or "none"
	Username       string
	Password       string
	Auth           string        // "plain" (or empty), "login" or "xoauth2"
	Token          TokenSource   // for xoauth2
	Mailbox        string        // the folder; empty: INBOX
	Create         bool          // make the folder where it is missing
	AlsoSearch     []string      // folders that the reader may move mails to
	Connections    int           // at most this many at a time; 0: 2
	AllowPlaintext bool          // send the password unencrypted even to another machine
	TLSConfig      *tls.Config   // nil: the system's authorities
	Settle         time.Duration // how long after the first look the last one comes that finds a mail missing; 0: 1 s
}

// IMAP puts mails into a folder with APPEND.
type IMAP struct {
	o     IMAPOptions
	end   endpoint
	login login
	pool  *pool[*imapConn]

	mu       sync.Mutex
	validity uint32   // UIDVALIDITY of the folder; 0: not known yet
	next     imap.UID // no mail appended from now on gets a lower UID

	asking  chan struct{}     // held by the one who uses indexes
	indexes map[string]*index // by folder
}

// NewIMAP does not connect yet.
func NewIMAP(o IMAPOptions) *IMAP {
	if o.Mailbox == "" {
		o.Mailbox = "INBOX"
	}
	if o.Connections <= 0 {
		o.Connections = 2
	}
	if o.Settle <= 0 {
		o.Settle = time.Second
	}
	m := &IMAP{
		o:       o,
		end:     endpoint{o.Address, o.TLS, o.TLSConfig},
		login:   login{o.Username, o.Password, o.Auth, o.Token},
		asking:  make(chan struct{}, 1),
		indexes: map[string]*index{},
	}
	m.pool = newPool(o.Connections, m.dial)
	return m
}

// Close ends idle connections; deliveries under way end by themselves.
func (m *IMAP) Close() error {
	m.pool.close()
	return nil
}

// Deliver appends the mail to the folder. The receipt names its UID where the
// server tells it (UIDPLUS, RFC 4315).
func (m *IMAP) Deliver(ctx context.Context, mail Mail, begin func(mark string) error) (receipt string, err error) {
	c, err := m.pool.take(ctx, m.ready)
	if err != nil {
		return "", m.fail(err)
	}
	defer func() { m.pool.put(c) }()
	if err := begin(m.mark()); err != nil {
		return "", err
	}
	data, err := c.append(ctx, m.o.Mailbox, mail)
	if m.o.Create && saysNoFolder(err) {
		// The folder went away since it was looked at, and nothing was stored.
		// Where the answer came before the literal, the connection is gone too.
		c.close()
		again, err := m.pool.fresh(ctx, m.ready) // makes the folder
		if err != nil {
			return "", m.fail(err)
		}
		c = again
		data, err = c.append(ctx, m.o.Mailbox, mail)
		return m.appended(data, err)
	}
	return m.appended(data, err)
}

// appended makes a receipt or an error of the outcome of an APPEND.
func (m *IMAP) appended(data *imap.AppendData, err error) (string, error) {
	if err != nil {
		return "", m.failAppend(err)
	}
	if data.UID == 0 {
		m.forget()
		return "imap " + m.o.Mailbox, nil
	}
	m.learn(data.UIDValidity, data.UID+1)
	return imapReceipt(m.o.Mailbox, data.UID, data.UIDValidity), nil
}

func imapReceipt(folder string, uid imap.UID, validity uint32) string {
	return fmt.Sprintf("imap %s uid %d uidvalidity %d", folder, uid, validity)
}

// ready is the last look at a connection before a mail goes out on it: is it
// alive, is the folder there, and from which UID on will the mail be found?
// A connection that answered a moment ago needs no asking.
func (m *IMAP) ready(ctx context.Context, c *imapConn) error {
	m.mu.Lock()
	known := m.validity != 0 && m.next != 0
	m.mu.Unlock()
	if known && c.examined && time.Since(c.used) < fresh {
		return nil
	}
	box, err := c.examine(ctx, m.o.Mailbox)
	if errors.Is(err, errNoFolder) && m.o.Create {
		if err := c.create(ctx, m.o.Mailbox); err != nil {
			return &stepError{"make folder " + m.o.Mailbox, err}
		}
		box, err = c.examine(ctx, m.o.Mailbox)
	}
	if err != nil {
		return &stepError{"open folder " + m.o.Mailbox, err}
	}
	m.learn(box.UIDValidity, box.UIDNext)
	c.examined = true
	return nil
}

// fresh is for how long a connection is taken to be alive after it was used.
const fresh = 5 * time.Second

// learn notes where the folder stands. UIDs only grow while UIDVALIDITY stays
// (RFC 9051 section 2.3.1.1), and answers of several connections cross.
func (m *IMAP) learn(validity uint32, next imap.UID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if validity != m.validity {
		m.validity, m.next = validity, next
	}
	m.next = max(m.next, next)
}

// forget makes the next delivery look where the folder stands.
func (m *IMAP) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.validity, m.next = 0, 0
}

// mark tells where to look for a mail appended from now on: "imap:INBOX:1:42".
func (m *IMAP) mark() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return mark{m.o.Mailbox, m.validity, m.next}.String()
}

// folders are all folders that the mail may be in, the target first.
func (m *IMAP) folders() []string {
	all := []string{m.o.Mailbox}
	for _, f := range m.o.AlsoSearch {
		if !strings.EqualFold(f, m.o.Mailbox) {
			all = append(all, f)
		}
	}
	return all
}
