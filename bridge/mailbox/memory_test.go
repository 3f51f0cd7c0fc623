package mailbox

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
)

var day = time.Date(2026, 3, 1, 2, 3, 4, 0, time.UTC)

// testMail is a mail of about size bytes.
func testMail(id string, size int) Mail {
	head := fmt.Sprintf("From: cove@msp.example\r\nTo: backups@msp.example\r\nDate: %s\r\nSubject: test\r\nMessage-ID: <%s>\r\n\r\n",
		day.Format(time.RFC1123Z), id)
	line := strings.Repeat("x", 70) + "\r\n"
	return Mail{
		MessageID: id,
		Date:      day,
		From:      "cove@msp.example",
		To:        []string{"backups@msp.example"},
		Bytes:     []byte(head + strings.Repeat(line, max(size-len(head), 0)/len(line)+1)),
	}
}

// memory is an IMAP server in this process.
type memory struct {
	*imapmemserver.User
	addr string
	open *atomic.Int32 // connections, as the server sees them
}

// settle waits until the server has seen every connection end, and what came on
// it before.
func (m *memory) settle(t *testing.T) {
	t.Helper()
	for until := time.Now().Add(time.Minute); m.open.Load() > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("%d connections are still open", m.open.Load())
		}
	}
}

func startMemory(t *testing.T, caps ...imap.Cap) *memory {
	t.Helper()
	return startMemoryWith(t, func(s wholeSession) imapserver.Session { return s }, caps...)
}

// startMemoryWith changes what sessions do.
func startMemoryWith(t *testing.T, change func(wholeSession) imapserver.Session, caps ...imap.Cap) *memory {
	t.Helper()
	users := imapmemserver.New()
	user := imapmemserver.NewUser("backup", "secret-pass")
	if err := user.Create("INBOX", nil); err != nil {
		t.Fatal(err)
	}
	users.AddUser(user)
	set := imap.CapSet{imap.CapIMAP4rev1: {}}
	for _, c := range caps {
		set[c] = struct{}{}
	}
	open := new(atomic.Int32)
	server := imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			open.Add(1)
			return change(wholeSession{users.NewSession().(imapserver.SessionIMAP4rev2), open}), nil, nil
		},
		Caps:         set,
		InsecureAuth: true,
		Logger:       log.New(io.Discard, "", 0),
	})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go server.Serve(ln)
	t.Cleanup(func() { server.Close() })
	return &memory{user, ln.Addr().String(), open}
}

// wholeSession keeps a mail only if all of it came, as servers must
// (RFC 9051 section 6.3.12); imapmemserver itself keeps what came before the
// connection broke.
type wholeSession struct {
	imapserver.SessionIMAP4rev2
	open *atomic.Int32
}

func (s wholeSession) Close() error {
	defer s.open.Add(-1)
	return s.SessionIMAP4rev2.Close()
}

func (s wholeSession) Append(folder string, r imap.LiteralReader, o *imap.AppendOptions) (*imap.AppendData, error) {
	var all bytes.Buffer
	if _, err := io.CopyN(&all, r, r.Size()); err != nil {
		return nil, err
	}
	return s.SessionIMAP4rev2.Append(folder, wholeLiteral{&all, r.Size()}, o)
}

type wholeLiteral struct {
	io.Reader
	size int64
}

func (l wholeLiteral) Size() int64 { return l.size }

// count tells how many mails a folder holds.
func (s *memory) count(t *testing.T, folder string) int {
	t.Helper()
	status, err := s.Status(folder, &imap.StatusOptions{NumMessages: true})
	if err != nil {
		t.Fatal(err)
	}
	return int(*status.NumMessages)
}

func newTestIMAP(t *testing.T, addr string, change ...func(*IMAPOptions)) *IMAP {
	o := IMAPOptions{Address: addr, TLS: "none", Username: "backup", Password: "secret-pass", SearchDelay: time.Millisecond}
	for _, c := range change {
		c(&o)
	}
	m := NewIMAP(o)
	t.Cleanup(func() { m.Close() })
	return m
}
