package mailbox

import (
	"crypto/tls"
	"encoding/base64"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-smtp"

	"covebridge/bridge/internal/testcert"
)

// tlsServer presents the certificate and says nothing.
func tlsServer(t *testing.T, cert testcert.Cert) string {
	t.Helper()
	addr, stop := listen(t, func(conn net.Conn) {
		defer conn.Close()
		tls.Server(conn, cert.Server).Handshake()
	})
	t.Cleanup(stop)
	return addr
}

func TestCertificateHints(t *testing.T) {
	good := testcert.New(t, time.Time{}, "127.0.0.1")
	other := testcert.New(t, time.Time{}, "mail.example", "192.0.2.1")
	expired := testcert.New(t, time.Now().Add(-time.Hour), "127.0.0.1")
	plain := serve(t, "* OK hello\r\n", func(string) string { return "" })
	for name, tt := range map[string]struct {
		addr  string
		trust testcert.Cert
		hint  string
	}{
		"unknown authority": {tlsServer(t, good), other, testcert.Authority},
		"other name":        {tlsServer(t, other), other, "mail.example, 192.0.2.1"},
		"expired":           {tlsServer(t, expired), expired, "have it renewed"},
		"no TLS":            {plain, good, "tls: starttls"},
		"no port":           {"127.0.0.1", good, "host:port"},
	} {
		for _, m := range []mailbox{
			newTestIMAP(t, tt.addr, func(o *IMAPOptions) { o.TLS, o.TLSConfig = "tls", tt.trust.Client }),
			newTestSMTP(t, tt.addr, func(o *SMTPOptions) { o.TLS, o.TLSConfig = "tls", tt.trust.Client }),
		} {
			_, err := deliverOne(t.Context(), m, testMail("a@covebridge", 300), nil)
			if e := wantClass(t, err, Unavailable); !strings.Contains(e.Hint, tt.hint) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// elsewhere is a connection to another machine.
type elsewhere struct{ net.Conn }

func (elsewhere) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 143} }

func TestPasswordStaysPrivate(t *testing.T) {
	local, other := net.Pipe()
	defer local.Close()
	defer other.Close()
	for mode, private := range map[string]bool{"tls": true, "starttls": true, "none": false} {
		if got := (endpoint{mode: mode}).private(elsewhere{local}); got != private {
			t.Errorf("%s: %v, want %v", mode, got, private)
		}
	}
	sender := NewSMTP(SMTPOptions{TLS: "none", Username: "u"})
	if err := sender.authenticate(&smtpConn{wire: newWire(local, elsewhere{local}, defaultIdleTimeout)}, ""); !errors.Is(err, errPlaintext) {
		t.Error(err)
	}
	client := imapclient.New(local, nil)
	defer client.Close()
	m := NewIMAP(IMAPOptions{TLS: "none"})
	if err := m.authenticate(&imapConn{Client: client, wire: newWire(local, elsewhere{local}, defaultIdleTimeout)}, ""); !errors.Is(err, errPlaintext) {
		t.Error(err)
	}
	if e := m.fail(errPlaintext); e.Hint != plaintextHint {
		t.Error(e)
	}
}

func TestLoginHints(t *testing.T) {
	oauth, plain := login{auth: "xoauth2"}, login{auth: "plain"}
	for _, tt := range []struct {
		got, want string
	}{
		{oauth.imapHint(&imap.Error{Text: "AUTHENTICATE failed."}), hintIMAPSteps},
		{oauth.imapHint(&imap.Error{Type: "BAD", Text: "User is authenticated but not connected."}), hintMailbox},
		{plain.imapHint(&imap.Error{Text: "LOGIN failed."}), hintPassword},
		{plain.imapHint(&imap.Error{Code: imap.ResponseCodePrivacyRequired}), mailboxCodes[imap.ResponseCodePrivacyRequired]},
		{oauth.smtpHint(&smtp.SMTPError{Code: 535, EnhancedCode: smtp.EnhancedCode{5, 7, 3}, Message: "Authentication unsuccessful"}), hintSMTPSteps},
		{oauth.smtpHint(&smtp.SMTPError{Code: 535, EnhancedCode: smtp.EnhancedCode{5, 7, 139}, Message: "SmtpClientAuthentication is disabled for the Tenant"}), hintSMTPOff},
		{plain.smtpHint(&smtp.SMTPError{Code: 535, EnhancedCode: smtp.EnhancedCode{5, 7, 8}}), hintPassword},
		{oauth.smtpHint(&smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 2, 252}, Message: "SendAsDenied; u not allowed to send as v"}), hintSendAs},
	} {
		if tt.got != tt.want || tt.want == "" {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
}

// Exchange takes a login that may not open the mailbox, and says so later.
func TestNotConnected(t *testing.T) {
	addr := scripted(t, func(tag, command string) string {
		if strings.HasPrefix(command, "LOGIN") {
			return tag + " OK in\r\n"
		}
		return tag + " BAD User is authenticated but not connected.\r\n"
	})
	m := newTestIMAP(t, addr, func(o *IMAPOptions) { o.Create = true })
	_, err := deliverOne(t.Context(), m, testMail("a@covebridge", 300), nil)
	if e := wantClass(t, err, Unavailable); e.Hint != hintMailbox {
		t.Error(err)
	}
	if f := wantFindings(t, m, "logged in", "!folder INBOX", "UIDPLUS"); f[1].Hint != hintMailbox {
		t.Errorf("%+v", f)
	}
}

// Some servers say again what they were told.
func TestServersThatEchoSecrets(t *testing.T) {
	encoded := base64.StdEncoding.EncodeToString([]byte("\x00backup\x00secret-pass"))
	imapAddr := serve(t, "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready\r\n", func(line string) string {
		tag, rest, _ := strings.Cut(line, " ")
		return tag + " BAD what do you mean by " + rest + "?\r\n"
	})
	smtpAddr := serve(t, "220 ready\r\n", func(line string) string {
		if strings.HasPrefix(line, "EHLO") {
			return "250-hello\r\n250 AUTH PLAIN\r\n"
		}
		return "501 what do you mean by " + line + "?\r\n"
	})
	for _, m := range []mailbox{
		newTestIMAP(t, imapAddr),
		newTestIMAP(t, imapAddr, func(o *IMAPOptions) { o.Auth = "login" }),
		newTestSMTP(t, smtpAddr, func(o *SMTPOptions) { o.Username, o.Password = "backup", "secret-pass" }),
	} {
		_, err := deliverOne(t.Context(), m, testMail("a@covebridge", 300), nil)
		wantClass(t, err, Unavailable)
		if !strings.Contains(err.Error(), "***") {
			t.Errorf("the echo is missing: %v", err)
		}
		for ; err != nil; err = unwrap(err) {
			if strings.Contains(err.Error(), "secret-pass") || strings.Contains(err.Error(), encoded) {
				t.Errorf("the error holds the password: %v", err)
			}
		}
	}
}

func FuzzSuggestedBackoff(f *testing.F) {
	f.Add("Request is throttled. Suggested Backoff Time: 299609 milliseconds")
	f.Add("Suggested Backoff Time: 999999999 ms")
	f.Add("backoff time: 99999999999 ms")
	f.Fuzz(func(t *testing.T, s string) {
		if d := suggestedBackoff(s); d < 0 || d > time.Hour {
			t.Errorf("%q: %v", s, d)
		}
	})
}

func FuzzFileName(f *testing.F) {
	f.Add("cove-1@covebridge")
	f.Add("../x\x00")
	f.Fuzz(func(t *testing.T, id string) {
		name := fileName(id)
		if strings.ContainsAny(name, "/\\\x00\r\n") || strings.HasPrefix(name, ".") && id != "" || len(name) > 250 {
			t.Errorf("%q: %q", id, name)
		}
	})
}
