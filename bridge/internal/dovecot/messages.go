package dovecot

import (
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// Message is a mail in a folder.
type Message struct {
	ID           string // Message-ID without the angle brackets
	InternalDate time.Time
	Bytes        []byte
}

// Messages reads a folder, in the order of UIDs. A missing folder has none.
func (s *Server) Messages(t testing.TB, folder string) []Message {
	t.Helper()
	c := s.login(t)
	defer c.Close()
	if listed, err := c.List("", folder, nil).Collect(); err != nil {
		t.Fatalf("list %s: %v", folder, err)
	} else if len(listed) == 0 {
		return nil
	}
	if _, err := c.Select(folder, &imap.SelectOptions{ReadOnly: true}).Wait(); err != nil {
		t.Fatalf("open %s: %v", folder, err)
	}
	body := &imap.FetchItemBodySection{Peek: true}
	fetched, err := c.Fetch(imap.UIDSet{{Start: 1}}, &imap.FetchOptions{
		UID: true, InternalDate: true, BodySection: []*imap.FetchItemBodySection{body},
	}).Collect()
	if err != nil {
		t.Fatalf("read %s: %v", folder, err)
	}
	var messages []Message
	for _, f := range fetched {
		m := Message{InternalDate: f.InternalDate, Bytes: f.FindBodySection(body)}
		parsed, err := mail.ReadMessage(strings.NewReader(string(m.Bytes)))
		if err != nil {
			t.Fatalf("read %s: UID %d: %v", folder, f.UID, err)
		}
		m.ID = strings.Trim(parsed.Header.Get("Message-ID"), "<>")
		messages = append(messages, m)
	}
	return messages
}

// Move moves all mails from one folder to another, as a reader does.
func (s *Server) Move(t testing.TB, from, to string) {
	t.Helper()
	c := s.login(t)
	defer c.Close()
	c.Create(to, nil).Wait() // it may be there already
	if _, err := c.Select(from, nil).Wait(); err != nil {
		t.Fatalf("open %s: %v", from, err)
	}
	if _, err := c.Move(imap.UIDSet{{Start: 1}}, to).Wait(); err != nil {
		t.Fatalf("move from %s to %s: %v", from, to, err)
	}
}

// Delete deletes a folder with its mails.
func (s *Server) Delete(t testing.TB, folder string) {
	t.Helper()
	c := s.login(t)
	defer c.Close()
	if err := c.Delete(folder).Wait(); err != nil {
		t.Fatalf("delete %s: %v", folder, err)
	}
}

func (s *Server) login(t testing.TB) *imapclient.Client {
	t.Helper()
	c, err := imapclient.DialInsecure(s.Addr, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Login(s.User, s.Password).Wait(); err != nil {
		t.Fatalf("log in: %v\n%s", err, s.Log())
	}
	return c
}

// SetRights gives the login only these rights to a folder (RFC 4314). It
// needs the plugins acl and imap_acl in Options.Config.
func (s *Server) SetRights(t testing.TB, folder, rights string) {
	t.Helper()
	c := s.login(t)
	defer c.Close()
	owner := imap.RightsIdentifier(s.User)
	if err := c.SetACL(folder, owner, imap.RightModificationReplace, imap.RightSet(rights)).Wait(); err != nil {
		t.Fatalf("set rights to %s: %v", folder, err)
	}
}
