package mailbox

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
)

// begun records what begin is called with.
type begun struct{ marks []string }

func (b *begun) begin(mark string) error {
	b.marks = append(b.marks, mark)
	return nil
}

// mailbox is what the three have in common.
type mailbox interface {
	Deliver(ctx context.Context, mails []Mail, begin func(mark string) error) []Result
	Find(ctx context.Context, queries []Query) ([]Found, error)
	Check(ctx context.Context, tell func(Finding))
	Close() error
}

// check gives what Check tells.
func check(ctx context.Context, m mailbox) (all []Finding) {
	m.Check(ctx, func(f Finding) { all = append(all, f) })
	return all
}

// deliverOne delivers a batch of one.
func deliverOne(ctx context.Context, m mailbox, mail Mail, begin func(string) error) (receipt string, err error) {
	r := m.Deliver(ctx, []Mail{mail}, begin)
	return r[0].Receipt, r[0].Err
}

// findOne asks for one mail.
func findOne(ctx context.Context, m mailbox, id, mark string, since time.Time) (receipt string, found bool, err error) {
	answers, err := m.Find(ctx, []Query{{MessageID: id, Mark: mark, Since: since}})
	if err != nil {
		return "", false, err
	}
	return answers[0].Receipt, answers[0].Found, nil
}

func mustDeliver(t *testing.T, m mailbox, mail Mail) (receipt, mark string) {
	t.Helper()
	var b begun
	receipt, err := deliverOne(t.Context(), m, mail, b.begin)
	if err != nil {
		t.Fatalf("deliver %s: %v", mail.MessageID, err)
	}
	if len(b.marks) != 1 {
		t.Fatalf("begin was called with %q, want one call", b.marks)
	}
	return receipt, b.marks[0]
}

func wantClass(t *testing.T, err error, want Class) *Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want an error of class %v", err, want)
	}
	if e.Class != want {
		t.Fatalf("got class %v (%v), want %v", e.Class, err, want)
	}
	if strings.Contains(err.Error(), "secret-pass") {
		t.Fatalf("the error holds the password: %v", err)
	}
	return e
}

func TestIMAPDelivers(t *testing.T) {
	for _, caps := range [][]imap.Cap{nil, {imap.CapUIDPlus}, {imap.CapUIDPlus, imap.CapLiteralPlus}, {imap.CapIMAP4rev2}} {
		for _, size := range []int{300, 20000} {
			t.Run(fmt.Sprint(caps, size), func(t *testing.T) {
				server := startMemory(t, caps...)
				m := newTestIMAP(t, server.addr)
				for i := range 3 {
					id := fmt.Sprintf("cove-%d@covebridge", i)
					receipt, mark := mustDeliver(t, m, testMail(id, size))
					if want := fmt.Sprintf("imap INBOX uid %d uidvalidity 1", i+1); receipt != want {
						t.Errorf("receipt %q, want %q", receipt, want)
					}
					if want := fmt.Sprintf("imap:INBOX:1:%d", i+1); mark != want {
						t.Errorf("mark %q, want %q", mark, want)
					}
				}
				if n := server.count(t, "INBOX"); n != 3 {
					t.Errorf("%d mails in the folder, want 3", n)
				}
			})
		}
	}
}

func TestIMAPBeginRefuses(t *testing.T) {
	server := startMemory(t)
	m := newTestIMAP(t, server.addr)
	lost := errors.New("lease lost")
	_, err := deliverOne(t.Context(), m, testMail("a@covebridge", 300), func(string) error { return lost })
	if !errors.Is(err, lost) {
		t.Errorf("got %v, want begin's error", err)
	}
	if n := server.count(t, "INBOX"); n != 0 {
		t.Errorf("%d mails in the folder, want none", n)
	}
	mustDeliver(t, m, testMail("a@covebridge", 300))
}

func TestIMAPSideBySide(t *testing.T) {
	server := startMemory(t, imap.CapUIDPlus)
	m := newTestIMAP(t, server.addr, func(o *IMAPOptions) { o.Connections = 3 })
	var wg sync.WaitGroup
	for i := range 30 {
		wg.Go(func() {
			id := fmt.Sprintf("cove-%d@covebridge", i)
			var b begun
			if _, err := deliverOne(t.Context(), m, testMail(id, 300*(i%20+1)), b.begin); err != nil {
				t.Error(err)
				return
			}
			if receipt, found, err := findOne(t.Context(), m, id, b.marks[0], day); err != nil || !found {
				t.Errorf("find %s from %s: %q, %v, %v", id, b.marks[0], receipt, found, err)
			}
		})
	}
	wg.Wait()
	if n := server.count(t, "INBOX"); n != 30 {
		t.Errorf("%d mails in the folder, want 30", n)
	}
}

func TestIMAPFolderMissing(t *testing.T) {
	server := startMemory(t, imap.CapUIDPlus)
	folder := "Cove/Päckchen"
	m := newTestIMAP(t, server.addr, func(o *IMAPOptions) { o.Mailbox = folder })
	var b begun
	_, err := deliverOne(t.Context(), m, testMail("a@covebridge", 300), b.begin)
	if e := wantClass(t, err, Unavailable); len(b.marks) != 0 || !strings.Contains(e.Hint, "create: true") {
		t.Errorf("begin %q, error %v", b.marks, err)
	}
	if _, found, err := findOne(t.Context(), m, "a@covebridge", "", day); found || err != nil {
		t.Errorf("found %v, %v in a missing folder", found, err)
	}

	m = newTestIMAP(t, server.addr, func(o *IMAPOptions) { o.Mailbox, o.Create = folder, true })
	mustDeliver(t, m, testMail("a@covebridge", 300))
	if n := server.count(t, folder); n != 1 {
		t.Errorf("%d mails, want 1", n)
	}

	// The folder goes away between two mails: the second makes it anew.
	if err := server.Delete(folder); err != nil {
		t.Fatal(err)
	}
	for i, size := range []int{300, 20000} {
		mustDeliver(t, m, testMail(fmt.Sprintf("b%d@covebridge", i), size))
	}
	if n := server.count(t, folder); n != 2 {
		t.Errorf("%d mails, want 2", n)
	}
}

func TestIMAPLoginRefused(t *testing.T) {
	server := startMemory(t)
	for _, auth := range []string{"plain", "login"} {
		m := newTestIMAP(t, server.addr, func(o *IMAPOptions) { o.Auth, o.Password = auth, "wrong-secret-pass" })
		var b begun
		_, err := deliverOne(t.Context(), m, testMail("a@covebridge", 300), b.begin)
		e := wantClass(t, err, Unavailable)
		if len(b.marks) != 0 || e.RetryAfter == 0 || !strings.Contains(e.Hint, "password") || !strings.Contains(e.Text, "Authentication failed") {
			t.Errorf("%s: begin %q, retry after %v, %v", auth, b.marks, e.RetryAfter, err)
		}
	}
}

// A server in trouble says nothing of the password.
func TestLoginInTrouble(t *testing.T) {
	imap := scripted(t, func(tag, command string) string {
		if strings.HasPrefix(command, "LOGIN") {
			return tag + " NO [UNAVAILABLE] Temporary authentication failure\r\n"
		}
		return tag + " OK done\r\n"
	})
	smtp := serve(t, "220 hi\r\n", func(line string) string {
		switch verb, _, _ := strings.Cut(line, " "); verb {
		case "EHLO":
			return "250-hi\r\n250 AUTH PLAIN\r\n"
		case "AUTH":
			return "454 4.7.0 Temporary authentication failure\r\n"
		}
		return "250 2.0.0 ok\r\n"
	})
	for _, m := range []mailbox{
		newTestIMAP(t, imap),
		newTestSMTP(t, smtp, func(o *SMTPOptions) { o.Username, o.Password = "backup", "secret-pass" }),
	} {
		_, err := deliverOne(t.Context(), m, testMail("a@covebridge", 300), nil)
		if e := wantClass(t, err, Unavailable); e.Hint != "" || e.RetryAfter != 0 || !strings.Contains(e.Text, "Temporary authentication failure") {
			t.Errorf("again after %s: %v", e.RetryAfter, e)
		}
	}
}

// fixedToken is a token source that has one.
type fixedToken string

func (f fixedToken) Token(context.Context, string) (string, error) { return string(f), nil }

// A token that a server repeats is not told, in whichever form.
func TestEchoedToken(t *testing.T) {
	const token = "a-long-access-token"
	whole := base64.StdEncoding.EncodeToString([]byte(xoauth2Response("backup", token)))
	addr := serve(t, "* OK [CAPABILITY IMAP4rev1 AUTH=XOAUTH2 SASL-IR] ready\r\n", func(line string) string {
		tag, _, _ := strings.Cut(line, " ")
		return tag + " NO not " + token + ", sent as " + whole + "\r\n"
	})
	m := newTestIMAP(t, addr, func(o *IMAPOptions) { o.Auth, o.Token, o.Username = "xoauth2", fixedToken(token), "backup" })
	_, err := deliverOne(t.Context(), m, testMail("a@covebridge", 300), nil)
	if e := wantClass(t, err, Unavailable); strings.Contains(e.Error(), token) || strings.Contains(e.Error(), whole) || !strings.Contains(e.Text, "NO not ***, sent as ***") {
		t.Error(e)
	}
}

// A mail has the time of its run in the mailbox, not that of its delivery.
func TestIMAPInternalDate(t *testing.T) {
	var said string
	addr := scripted(t, func(tag, command string) string {
		if strings.HasPrefix(command, "APPEND") {
			said = command
			return tag + " NO no\r\n"
		}
		return tag + " OK done\r\n"
	})
	deliverOne(t.Context(), newTestIMAP(t, addr), testMail("a@covebridge", 300), func(string) error { return nil })
	if want := `"` + day.Format("_2-Jan-2006 15:04:05 -0700") + `"`; !strings.Contains(said, want) {
		t.Errorf("the client says %q, without %s", said, want)
	}
}

func TestIMAPUnreachable(t *testing.T) {
	m := newTestIMAP(t, "127.0.0.1:1") // for a service that is not in use
	_, err := deliverOne(t.Context(), m, testMail("a@covebridge", 300), nil)
	if e := wantClass(t, err, Unavailable); !strings.Contains(e.Hint, "nothing listens") {
		t.Error(err)
	}
	if _, found, err := findOne(t.Context(), m, "a@covebridge", "", day); found || err == nil {
		t.Errorf("found %v, %v, want an error", found, err)
	}
}

func TestIMAPSilentServer(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	for _, mode := range []string{"none", "tls", "starttls"} {
		m := newTestIMAP(t, ln.Addr().String(), func(o *IMAPOptions) { o.TLS = mode })
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		_, err = deliverOne(ctx, m, testMail("a@covebridge", 300), nil)
		cancel()
		if wantClass(t, err, Unavailable); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", mode, err)
		}
	}
}

func TestIMAPClosed(t *testing.T) {
	server := startMemory(t)
	m := newTestIMAP(t, server.addr)
	mustDeliver(t, m, testMail("a@covebridge", 300))
	m.Close()
	_, err := deliverOne(t.Context(), m, testMail("b@covebridge", 300), nil)
	if wantClass(t, err, Unavailable); !errors.Is(err, errClosed) {
		t.Error(err)
	}
}
