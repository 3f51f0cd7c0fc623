package mailbox

import (
	"context"
	"crypto/tls"
	"errors"
	"slices"
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
	SearchDelay    time.Duration // how long after the first look the last one comes that finds a mail missing; 0: 1 s
}

// IMAP puts mails into a folder with APPEND.
type IMAP struct {
	o        IMAPOptions
	endpoint endpoint
	login    login
	pool     *pool[*imapConn]

	idleTimeout time.Duration // see wire

	mu       sync.Mutex
	validity uint32   // UIDVALIDITY of the folder; 0: not known yet
	next     imap.UID // no mail appended from now on gets a lower UID

	indexing chan struct{}     // held by the one who uses indexes
	indexes  map[string]*index // by folder
}

// NewIMAP does not connect yet.
func NewIMAP(o IMAPOptions) *IMAP {
	if o.Mailbox == "" {
		o.Mailbox = "INBOX"
	}
	if o.Connections <= 0 {
		o.Connections = 2
	}
	if o.SearchDelay <= 0 {
		o.SearchDelay = time.Second
	}
	m := &IMAP{
		o:           o,
		endpoint:    endpoint{o.Address, o.TLS, o.TLSConfig},
		login:       login{o.Username, o.Password, o.Auth, o.Token},
		idleTimeout: defaultIdleTimeout,
		indexing:    make(chan struct{}, 1),
		indexes:     map[string]*index{},
	}
	m.pool = newPool(o.Connections, m.dial)
	return m
}

// Close ends idle connections; deliveries under way end by themselves.
func (m *IMAP) Close() error {
	m.pool.close()
	return nil
}

// ready is the last look at a connection before mails go out on it: is it
// alive, is the folder there, and from which UID on will the mails be found?
// A connection that answered a moment ago needs no asking.
func (m *IMAP) ready(ctx context.Context, c *imapConn) error {
	if m.markKnown() && c.folderSeen && c.Mailbox() == nil && time.Since(c.used) < aliveFor {
		return nil
	}
	validity, next, err := c.status(ctx, m.o.Mailbox)
	if errors.Is(err, errNoFolder) && m.o.Create {
		if err := c.create(ctx, m.o.Mailbox); err != nil {
			return &stepError{"make folder " + m.o.Mailbox, err}
		}
		validity, next, err = c.status(ctx, m.o.Mailbox)
	}
	if err != nil {
		return &stepError{"look at folder " + m.o.Mailbox, err}
	}
	m.updateMark(validity, next)
	c.folderSeen = true
	return nil
}

// folders are all folders that the mail may be in, the target first.
func (m *IMAP) folders() []string {
	folders := []string{m.o.Mailbox}
	for _, f := range m.o.AlsoSearch {
		if !contains(folders, f) {
			folders = append(folders, f)
		}
	}
	return folders
}

func contains(folders []string, folder string) bool {
	return slices.ContainsFunc(folders, func(f string) bool {
		return f == folder || strings.EqualFold(f, "INBOX") && strings.EqualFold(f, folder)
	})
}
