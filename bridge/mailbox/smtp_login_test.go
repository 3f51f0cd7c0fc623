package mailbox

import (
	"covebridge/bridge/internal/faultproxy"
	"covebridge/bridge/internal/testcert"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

func TestSMTPLogin(t *testing.T) {
	for _, offered := range []string{sasl.Plain, sasl.Login} {
		for _, auth := range []string{"plain", "login"} {
			server := startPost(t)
			server.set(func(p *post) { p.mechs = []string{offered} })
			m := newTestSMTP(t, server.addr, func(o *SMTPOptions) { o.Username, o.Password, o.Auth = "backup", "secret-pass", auth })
			mustDeliver(t, m, testMail("a@covebridge", 300))
			if server.loggedIn != 1 {
				t.Errorf("%s where %s is offered: logged in %d times", auth, offered, server.loggedIn)
			}
			m = newTestSMTP(t, server.addr, func(o *SMTPOptions) { o.Username, o.Password, o.Auth = "backup", "wrong-secret-pass", auth })
			var b begun
			_, err := deliverOne(t.Context(), m, testMail("b@covebridge", 300), b.begin)
			if e := wantClass(t, err, Unavailable); e.Hint != hintPassword || e.RetryAfter == 0 || len(b.marks) != 0 {
				t.Errorf("%s: %+v", auth, e)
			}
		}
	}
	server := startPost(t)
	server.set(func(p *post) { p.mechs = []string{"CRAM-MD5"} })
	m := newTestSMTP(t, server.addr, func(o *SMTPOptions) { o.Username, o.Password = "backup", "secret-pass" })
	_, err := deliverOne(t.Context(), m, testMail("a@covebridge", 300), nil)
	if wantClass(t, err, Unavailable); !strings.Contains(err.Error(), "offers neither PLAIN nor LOGIN") {
		t.Error(err)
	}
}

func TestSMTPStartTLS(t *testing.T) {
	cert := testcert.New(t, time.Time{}, "127.0.0.1")
	server := startPost(t, func(s *smtp.Server) { s.TLSConfig, s.AllowInsecureAuth = cert.Server, false })
	server.set(func(p *post) { p.mechs = []string{sasl.Plain} })
	options := func(o *SMTPOptions) { o.TLS, o.Username, o.Password = "starttls", "backup", "secret-pass" }
	m := newTestSMTP(t, server.addr, options, func(o *SMTPOptions) { o.TLSConfig = cert.Client })
	mustDeliver(t, m, testMail("a@covebridge", 300))
	if server.loggedIn != 1 {
		t.Error("did not log in")
	}

	m = newTestSMTP(t, server.addr, options)
	_, err := deliverOne(t.Context(), m, testMail("b@covebridge", 300), nil)
	if e := wantClass(t, err, Unavailable); !strings.Contains(e.Hint, testcert.Authority) {
		t.Errorf("unknown authority: %v", err)
	}
	m = newTestSMTP(t, startPost(t).addr, options)
	_, err = deliverOne(t.Context(), m, testMail("b@covebridge", 300), nil)
	if wantClass(t, err, Unavailable); !strings.Contains(err.Error(), "STARTTLS") {
		t.Errorf("no STARTTLS: %v", err)
	}
}

// A server that closed an idle connection is dialled again before begin.
func TestSMTPDeadIdleConnection(t *testing.T) {
	server := startPost(t)
	proxy := startProxy(t, faultproxy.SMTP, server.addr)
	m := newTestSMTP(t, proxy.Addr())
	for i := range 3 {
		mustDeliver(t, m, testMail(fmt.Sprintf("%d@covebridge", i), 300))
		proxy.CutAll()
	}
}

func TestSMTPConnectErrorsRefuseNoMail(t *testing.T) {
	for _, greeting := range []string{"554 go away\r\n", "421 later\r\n", "nonsense\r\n"} {
		addr := serve(t, greeting, func(string) string { return "500 what\r\n" })
		m := newTestSMTP(t, addr)
		var b begun
		_, err := deliverOne(t.Context(), m, testMail("a@covebridge", 300), b.begin)
		if wantClass(t, err, Unavailable); len(b.marks) != 0 {
			t.Error(err)
		}
	}
}
