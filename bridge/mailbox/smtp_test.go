package mailbox

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-smtp"

	"covebridge/bridge/internal/faultproxy"
)

func newTestSMTP(t *testing.T, addr string, change ...func(*SMTPOptions)) *SMTP {
	o := SMTPOptions{Address: addr, TLS: "none"}
	for _, c := range change {
		c(&o)
	}
	m := NewSMTP(o)
	t.Cleanup(func() { m.Close() })
	return m
}

func TestSMTPDelivers(t *testing.T) {
	server := startPost(t)
	m := newTestSMTP(t, server.addr)
	for i := range 60 {
		receipt, mark := mustDeliver(t, m, testMail(fmt.Sprintf("%d@covebridge", i), 300+i*300))
		if !strings.HasPrefix(receipt, "smtp ") || !strings.HasPrefix(mark, "smtp:") {
			t.Fatalf("receipt %q, mark %q", receipt, mark)
		}
	}
	if server.count() != 60 || server.mails[3] != string(testMail("3@covebridge", 1200).Bytes) {
		t.Errorf("%d mails arrived", server.count())
	}
	if server.conns != 2 { // 50 mails on the first
		t.Errorf("%d connections, want 2", server.conns)
	}
	if _, _, err := findOne(t.Context(), m, "1@covebridge", "smtp", day); !errors.Is(err, ErrCannotAsk) {
		t.Errorf("find: %v", err)
	}
}

func TestSMTPAnswers(t *testing.T) {
	reply := func(code int, text string) error {
		return &smtp.SMTPError{Code: code, EnhancedCode: smtp.NoEnhancedCode, Message: text}
	}
	tests := []struct {
		name  string
		set   func(*post)
		class Class
		text  string
		retry bool
	}{
		{"sender put off", func(p *post) { p.mail = reply(451, "later") }, Unavailable, "451 later", false},
		{"sender refused", func(p *post) { p.mail = reply(550, "no") }, Unavailable, "550 no", false},
		{"login wanted", func(p *post) { p.mail = reply(530, "log in") }, Unavailable, "530 log in", false},
		{"too many connections", func(p *post) { p.mail = reply(432, "4.3.2 concurrent connection limit exceeded") }, Unavailable, "432 4.3.2 concurrent connection limit exceeded", true},
		{"server goes down", func(p *post) { p.mail = reply(421, "bye") }, Unavailable, "421 bye", true},
		{"recipient put off", func(p *post) { p.rcpt["backups@msp.example"] = reply(450, "busy") }, Unavailable, "450 busy", false},
		{"recipient refused", func(p *post) { p.rcpt["backups@msp.example"] = reply(550, "unknown") }, Unavailable, "550 unknown", false},
		{"one of two recipients refused", func(p *post) { p.rcpt["other@msp.example"] = reply(550, "unknown") }, Unavailable, "550 unknown", false},
		{"mail put off", func(p *post) { p.data = reply(452, "disk full") }, Unavailable, "452 disk full", false},
		{"mail refused", func(p *post) { p.data = reply(554, "spam") }, Rejected, "554 spam", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server := startPost(t)
			server.set(tt.set)
			m := newTestSMTP(t, server.addr)
			mail := testMail("a@covebridge", 300)
			mail.To = []string{"Backups <backups@msp.example>", "other@msp.example"}
			var b begun
			_, err := deliverOne(t.Context(), m, mail, b.begin)
			e := wantClass(t, err, tt.class)
			if !strings.HasPrefix(e.Text, tt.text) || tt.retry != (e.RetryAfter > 0) || len(b.marks) != 1 {
				t.Errorf("text %q, retry after %v, marks %q", e.Text, e.RetryAfter, b.marks)
			}
			if server.count() != 0 {
				t.Error("the mail was sent to some")
			}
			server.set(func(p *post) { p.mail, p.data, p.rcpt = nil, nil, map[string]error{} })
			mustDeliver(t, m, mail)
		})
	}
}

func TestSMTPCut(t *testing.T) {
	for _, point := range faultproxy.Points {
		for _, action := range []faultproxy.Action{faultproxy.Cut, faultproxy.Stall} {
			fault := faultproxy.Fault{At: point, Do: action}
			t.Run(fault.String(), func(t *testing.T) {
				server := startPost(t)
				proxy := startProxy(t, faultproxy.SMTP, server.addr)
				m := newTestSMTP(t, proxy.Addr())
				proxy.Script(fault)
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				if action == faultproxy.Stall {
					ctx, cancel = context.WithTimeout(t.Context(), 200*time.Millisecond)
				}
				defer cancel()
				var b begun
				_, err := deliverOne(ctx, m, testMail("a@covebridge", 100_000), b.begin)
				var e *Error
				if !errors.As(err, &e) || e.Class == Rejected || e.Class == Final {
					t.Fatal(err)
				}
				// Before the last bytes nothing is sent; from the dot on nobody knows.
				// In between it depends on how much of the mail was in the buffers.
				if early := point <= faultproxy.BeforeData; early && e.Class != Unavailable || point >= faultproxy.BeforeEnd && e.Class != Unknown {
					t.Errorf("%v: class %v, %v", fault, e.Class, err)
				}
				if sent := server.count(); sent == 1 != (point == faultproxy.AfterEnd) {
					t.Errorf("%d mails arrived", sent)
				}
				mustDeliver(t, m, testMail("b@covebridge", 300))
			})
		}
	}
}

func TestSMTPProxyAnswers(t *testing.T) {
	server := startPost(t)
	proxy := startProxy(t, faultproxy.SMTP, server.addr)
	m := newTestSMTP(t, proxy.Addr())
	for _, point := range []faultproxy.Point{faultproxy.BeforeMail, faultproxy.BeforeData, faultproxy.BeforeEnd} {
		never := Unavailable
		if point == faultproxy.BeforeEnd {
			never = Rejected
		}
		for text, class := range map[string]Class{"451 4.3.0 later": Unavailable, "554 5.7.1 never": never} {
			proxy.Script(faultproxy.Fault{At: point, Do: faultproxy.Answer, Text: text})
			_, err := deliverOne(t.Context(), m, testMail("a@covebridge", 20000), new(begun).begin)
			if e := wantClass(t, err, class); e.Text != text {
				t.Errorf("text %q, want %q", e.Text, text)
			}
		}
	}
	if server.count() != 0 {
		t.Errorf("%d mails arrived", server.count())
	}
}

// With a mailbox to ask, what the dot left open is settled.
func TestSMTPAsks(t *testing.T) {
	box := startMemory(t)
	box.put(t, "INBOX", testMail("a@covebridge", 300))
	m := newTestSMTP(t, "127.0.0.1:1", func(o *SMTPOptions) { o.Inbox = newTestIMAP(t, box.addr) })
	for id, want := range map[string]bool{"a@covebridge": true, "b@covebridge": false} {
		if _, found, err := findOne(t.Context(), m, id, "smtp", day); found != want || err != nil {
			t.Errorf("%s: found %v, %v", id, found, err)
		}
	}
}

// A mail given to the server a moment ago may still be in its queue: that it is
// not in the mailbox yet says nothing.
func TestSMTPQueue(t *testing.T) {
	box := startMemory(t)
	m := newTestSMTP(t, "127.0.0.1:1", func(o *SMTPOptions) { o.Inbox = newTestIMAP(t, box.addr) })
	mark := func(ago time.Duration) string { return smtpMark + strconv.FormatInt(time.Now().Add(-ago).Unix(), 10) }
	_, _, err := findOne(t.Context(), m, "a@covebridge", mark(time.Minute), day)
	if e := wantClass(t, err, Unavailable); e.AskAgainAfter <= 0 || e.AskAgainAfter > queueTime {
		t.Errorf("settles after %s", e.AskAgainAfter)
	}
	if _, found, err := findOne(t.Context(), m, "a@covebridge", mark(queueTime+time.Minute), day); found || err != nil {
		t.Errorf("found %v, %v", found, err)
	}
	box.put(t, "INBOX", testMail("a@covebridge", 300))
	if _, found, err := findOne(t.Context(), m, "a@covebridge", mark(0), day); !found || err != nil {
		t.Errorf("found %v, %v", found, err)
	}
}

func TestSMTPRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewSMTP(SMTPOptions{Address: "smtp.office365.com:587"})
		start := time.Now()
		for range 31 {
			if err := m.awaitRate(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(start); took != time.Minute {
			t.Errorf("31 mails in %v, want a minute", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var e *Error
		if err := m.awaitRate(ctx); !errors.As(err, &e) || e.Class != Unavailable || e.RetryAfter != 2*time.Second {
			t.Errorf("got %v", err)
		}
	})
	for _, tt := range []struct {
		o           SMTPOptions
		limited     bool
		connections int
	}{
		{SMTPOptions{Address: "smtp.office365.com:587"}, true, 3},
		{SMTPOptions{Address: "SMTP.Office365.com.:587", Connections: 1}, true, 1},
		{SMTPOptions{Address: "msp-example.mail.protection.outlook.com:25", Rate: -1}, false, 3},
		{SMTPOptions{Address: "mail.protection.outlook.com.example:25"}, false, 2},
		{SMTPOptions{Address: "mail.example:25", Rate: 5}, true, 2},
	} {
		m := NewSMTP(tt.o)
		if limited := m.rate.Limit() < 1e6; limited != tt.limited || cap(m.pool.slots) != tt.connections {
			t.Errorf("%+v: limit %v, %d connections", tt.o, m.rate.Limit(), cap(m.pool.slots))
		}
	}
}
