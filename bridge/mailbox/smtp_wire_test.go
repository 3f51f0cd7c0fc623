package mailbox

import (
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"covebridge/bridge/internal/testcert"
)

// listener is an SMTP server that keeps every line it gets.
type listener struct {
	addr string

	mu    sync.Mutex
	lines []string
}

// startListener answers DATA with that; nothing comes after it but the end of a mail.
func startListener(t *testing.T, data string) *listener {
	w := &listener{}
	inData := false
	w.addr = serve(t, "220 ready\r\n", func(line string) string {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.lines = append(w.lines, line)
		switch {
		case inData && line != ".":
			return ""
		case inData:
			inData = false
			return "250 2.0.0 Ok: queued as 4F1A\r\n"
		case line == "DATA":
			inData = true
			return data
		case strings.HasPrefix(line, "EHLO"):
			return "250-hello\r\n250 SIZE 1000000\r\n"
		}
		return "250 ok\r\n"
	})
	return w
}

func (w *listener) said() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.lines)
}

// The envelope holds addresses only, and each line of the mail goes out as it is.
func TestSMTPOnTheWire(t *testing.T) {
	server := startListener(t, "354 go ahead\r\n")
	m := newTestSMTP(t, server.addr)
	mail := testMail("a@covebridge", 300)
	mail.From = "Cove <cove@msp.example>"
	mail.To = []string{`"Backups, all" <all@msp.example>`, "Backups <backups@msp.example>"}
	mail.Bytes = append(mail.Bytes, ".a dot first\r\n..two\r\n"...)
	receipt, _ := mustDeliver(t, m, mail)
	if receipt != "smtp 2.0.0 Ok: queued as 4F1A" {
		t.Errorf("receipt %q", receipt)
	}
	said := server.said()
	at := slices.Index(said, "DATA")
	if at < 3 || !strings.HasPrefix(said[at-3], "MAIL FROM:<cove@msp.example>") ||
		said[at-2] != "RCPT TO:<all@msp.example>" || said[at-1] != "RCPT TO:<backups@msp.example>" {
		t.Fatalf("the client said %q", said)
	}
	body := said[at+1:]
	end := slices.Index(body, ".")
	if end < 0 {
		t.Fatalf("no end in %q", body)
	}
	var got strings.Builder
	for _, line := range body[:end] {
		got.WriteString(strings.TrimPrefix(line, ".") + "\r\n") // RFC 5321 section 4.5.2
	}
	if got.String() != string(mail.Bytes) {
		t.Errorf("sent %q, want %q", got.String(), mail.Bytes)
	}
}

func TestSMTPBeginRefuses(t *testing.T) {
	server := startListener(t, "354 go ahead\r\n")
	m := newTestSMTP(t, server.addr)
	lost := errors.New("lease lost")
	_, err := deliverOne(t.Context(), m, testMail("a@covebridge", 300), func(string) error { return lost })
	if !errors.Is(err, lost) {
		t.Errorf("got %v, want begin's error", err)
	}
	mustDeliver(t, m, testMail("b@covebridge", 300))
	said := strings.Join(server.said(), "\n")
	if strings.Count(said, "MAIL FROM") != 1 || strings.Count(said, "EHLO") != 1 || strings.Contains(said, "<a@covebridge>") {
		t.Errorf("the client said\n%s", said)
	}
}

// A mail too large for all buffers on the way can't have been ended.
func TestSMTPCutBeforeTheDot(t *testing.T) {
	m := newTestSMTP(t, startListener(t, "354 go ahead\r\n"+hangUp).addr)
	var b begun
	_, err := deliverOne(t.Context(), m, testMail("a@covebridge", 32<<20), b.begin)
	if wantClass(t, err, Unavailable); len(b.marks) != 1 {
		t.Errorf("begin got %q", b.marks)
	}
}

func TestSMTPTLS(t *testing.T) {
	cert := testcert.New(t, time.Time{}, "127.0.0.1")
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := startPost(t, func(s *smtp.Server) {
		s.AllowInsecureAuth = false
		go s.Serve(tls.NewListener(ln, cert.Server))
	})
	server.set(func(p *post) { p.mechs = []string{"PLAIN"} })
	m := newTestSMTP(t, ln.Addr().String(), func(o *SMTPOptions) {
		o.TLS, o.TLSConfig, o.Username, o.Password = "tls", cert.Client, "backup", "secret-pass"
	})
	mail := testMail("a@covebridge", 300)
	mustDeliver(t, m, mail)
	server.set(func(p *post) {
		if p.loggedIn != 1 || len(p.mails) != 1 || p.mails[0] != string(mail.Bytes) {
			t.Errorf("logged in %d times, got %q", p.loggedIn, p.mails)
		}
	})
}

// What refuses the connection says what to look at, as for IMAP.
func TestSMTPConnectHints(t *testing.T) {
	hello := "220 ready\r\n"
	for name, tt := range map[string]struct {
		greeting, mode, hint string
	}{
		"refused":     {"554 5.7.1 not from there\r\n", "none", "does not take connections"},
		"no STARTTLS": {hello, "starttls", "no STARTTLS on this port"},
		"put off":     {"451 later\r\n", "none", ""},
	} {
		addr := serve(t, tt.greeting, func(string) string { return "250 hello\r\n" })
		m := newTestSMTP(t, addr, func(o *SMTPOptions) { o.TLS = tt.mode })
		var b begun
		_, err := deliverOne(t.Context(), m, testMail("a@covebridge", 300), b.begin)
		e := wantClass(t, err, Unavailable)
		if tt.hint == "" && e.Hint != "" || !strings.Contains(e.Hint, tt.hint) || len(b.marks) != 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}
