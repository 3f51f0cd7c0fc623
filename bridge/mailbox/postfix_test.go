package mailbox

import (
	"covebridge/bridge/internal/faultproxy"
	"covebridge/bridge/internal/postfix"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestPostfix(t *testing.T) {
	s := postfix.Start(t)
	deliver := func(m *SMTP, from, to string, size int) error {
		mail := testMail("refused@covebridge", size)
		mail.From, mail.To = from, []string{to}
		_, err := deliverOne(t.Context(), m, mail, new(begun).begin)
		return err
	}
	m := newTestSMTP(t, s.Addr, func(o *SMTPOptions) { o.TLS, o.TLSConfig = "starttls", s.Cert.Client })
	for i := range 3 {
		mail := testMail(fmt.Sprintf("%d@covebridge", i), 300+i*20000)
		mail.To = []string{postfix.To}
		if receipt, _ := mustDeliver(t, m, mail); !strings.Contains(receipt, "queued as ") {
			t.Errorf("receipt %q", receipt)
		}
	}
	for name, tt := range map[string]struct {
		err   error
		class Class
		text  string
	}{
		"put off":        {deliver(m, "cove@msp.test", postfix.Later, 300), Unavailable, "450 4.2.0"},
		"refused":        {deliver(m, "cove@msp.test", postfix.Never, 300), Unavailable, "550 5.1.1"},
		"sender refused": {deliver(m, postfix.Barred, postfix.To, 300), Unavailable, "554 5.7.1"},
		"relay":          {deliver(m, "cove@msp.test", "someone@elsewhere.test", 300), Unavailable, "554 5.7.1"},
		"too large":      {deliver(m, "cove@msp.test", postfix.To, 2*postfix.MaxSize), Final, "552 5.3.4"},
	} {
		if e := wantClass(t, tt.err, tt.class); !strings.HasPrefix(e.Text, tt.text) {
			t.Errorf("%s: %v", name, tt.err)
		}
	}
	plain := newTestSMTP(t, s.Addr, func(o *SMTPOptions) { o.Username, o.Password = "backup", "secret-pass" })
	if err := deliver(plain, "cove@msp.test", postfix.To, 300); err == nil || !strings.Contains(err.Error(), "offers neither") {
		t.Errorf("login where none is offered: %v", err)
	}

	proxy := startProxy(t, faultproxy.SMTP, s.Addr)
	cut := newTestSMTP(t, proxy.Addr())
	for i, point := range faultproxy.Points {
		proxy.Script(faultproxy.Fault{At: point, Do: faultproxy.Cut})
		mail := testMail(fmt.Sprintf("cut-%d@covebridge", i), 20000)
		mail.To = []string{postfix.To}
		_, err := deliverOne(t.Context(), cut, mail, new(begun).begin)
		var e *Error
		if !errors.As(err, &e) || e.Class == Rejected || e.Class == Final || point >= faultproxy.BeforeEnd && e.Class != Unknown {
			t.Errorf("cut %v: %v", point, err)
		}
	}
	var ids []string
	for _, msg := range s.Messages(t, 4) {
		ids = append(ids, msg.ID)
	}
	if len(ids) != 4 || !strings.Contains(strings.Join(ids, " "), "cut-4@covebridge") {
		t.Errorf("arrived: %q", ids)
	}

	m = newTestSMTP(t, s.Addr, func(o *SMTPOptions) {
		o.TLS, o.TLSConfig, o.From, o.To = "starttls", s.Cert.Client, "cove@msp.test", []string{postfix.To, postfix.Never}
	})
	wantFindings(t, m, "without a login, with STARTTLS", "sender cove@msp.test: accepted", "recipient "+postfix.To, "!recipient "+postfix.Never, "can't be asked")
	m = newTestSMTP(t, s.Addr, func(o *SMTPOptions) { o.TLS = "starttls" })
	wantFindings(t, m, "!connect")
}
