package mailbox

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"covebridge/bridge/internal/faultproxy"
)

// A batch goes over one connection with nothing between its mails.
func TestSMTPBatch(t *testing.T) {
	server := startListener(t, "354 go ahead\r\n")
	m := newTestSMTP(t, server.addr)
	var b begun
	for range 2 {
		for _, r := range m.Deliver(t.Context(), batch("b", 300, 300, 300), b.begin) {
			if r.Err != nil || r.Receipt != "smtp 2.0.0 Ok: queued as 4F1A" {
				t.Errorf("%q, %v", r.Receipt, r.Err)
			}
		}
	}
	var verbs []string
	for _, line := range server.said() {
		if verb, _, _ := strings.Cut(line, " "); slices.Contains([]string{"EHLO", "MAIL", "RCPT", "DATA", ".", "NOOP", "RSET"}, verb) {
			verbs = append(verbs, verb)
		}
	}
	want := append([]string{"EHLO"}, slices.Repeat([]string{"MAIL", "RCPT", "DATA", "."}, 6)...)
	if !slices.Equal(verbs, want) || len(b.marks) != 2 {
		t.Errorf("begin got %q, the client said %q", b.marks, verbs)
	}
}

// The rate holds within a batch, and from one batch to the next: what would have
// to wait for longer than there is time is put back at once.
func TestSMTPRateOfABatch(t *testing.T) {
	server := startPost(t)
	m := newTestSMTP(t, server.addr, func(o *SMTPOptions) { o.Rate = 1 })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Second)
	defer cancel()
	for round, mails := range [][]Mail{batch("a", 300, 300, 300), batch("b", 300)} {
		for i, r := range m.Deliver(ctx, mails, new(begun).begin) {
			if round == 0 && i == 0 {
				if r.Err != nil {
					t.Error(r.Err)
				}
				continue
			}
			if e := wantClass(t, r.Err, Unavailable); e.RetryAfter <= 0 || e.RetryAfter > time.Minute || !strings.Contains(e.Text, "the limit of 1 mails a minute is reached") {
				t.Errorf("round %d, mail %d: again after %s: %v", round, i, e.RetryAfter, e)
			}
		}
	}
	if server.count() != 1 {
		t.Errorf("%d mails", server.count())
	}
}

// RSET takes back what was refused in the middle; a refused MAIL needs none.
func TestSMTPResetsWhereNeeded(t *testing.T) {
	server := startPost(t)
	proxy := startProxy(t, faultproxy.SMTP, server.addr)
	m := newTestSMTP(t, proxy.Addr())
	refuse := func(mail, rcpt, data error) {
		server.set(func(p *post) { p.mail, p.rcpt["backups@msp.example"], p.data = mail, rcpt, data })
	}
	no := &smtp.SMTPError{Code: 451, Message: "later"}
	for range 2 {
		for _, refused := range [][3]error{{no, nil, nil}, {nil, no, nil}, {nil, nil, no}} {
			refuse(refused[0], refused[1], refused[2])
			_, err := deliverOne(t.Context(), m, testMail("a@covebridge", 300), new(begun).begin)
			wantClass(t, err, Unavailable)
			refuse(nil, nil, nil)
			mustDeliver(t, m, testMail("b@covebridge", 300))
		}
	}
	if server.conns != 1 || server.count() != 6 {
		t.Errorf("%d connections, %d mails", server.conns, server.count())
	}
}

// What each refusal means, by where it came.
func TestSMTPClasses(t *testing.T) {
	for _, tt := range []struct {
		at    string
		text  string
		class Class
	}{
		{"MAIL", "550 5.7.60 SMTP; Client does not have permissions to send as this sender", Unavailable},
		{"MAIL", "501 5.1.7 Invalid address", Unavailable},
		{"MAIL", "554 5.7.1 Relay denied", Unavailable},
		{"MAIL", "552 5.3.4 Message size exceeds fixed limit", Final},
		{"MAIL", "552 5.2.2 mailbox full", Unavailable},
		{"MAIL", "535 5.7.8 log in", Unavailable},
		{"RCPT", "550 5.1.1 no such user", Unavailable},
		{"RCPT", "550 5.7.1 blocked by a list", Unavailable},
		{"RCPT", "552 5.2.2 mailbox full", Unavailable},
		{"RCPT", "554 5.4.14 Hop count", Unavailable},
		{"DATA", "554 no valid recipients", Unavailable},
		{".", "554 5.2.0 STOREDRV.Submission.Exception; quota", Unavailable},
		{".", "554 5.2.252 SendAsDenied; a not allowed to send as b", Unavailable},
		{".", "552 5.2.2 mailbox full", Unavailable},
		{".", "552 quota exceeded", Unavailable},
		{".", "550 5.7.708 traffic not accepted from this IP", Unavailable},
		{".", "451 4.7.500 Server busy", Unavailable},
		{".", "421 4.4.1 timeout", Unavailable},
		{".", "552 5.3.4 Message too big for system", Final},
		{".", "552 Message size exceeds maximum", Final},
		{".", "554 5.6.0 Corrupt message content", Final},
		{".", "554 5.7.1 Message content rejected, contains a virus", Final},
		{".", "554 5.7.1 Message rejected due to local policy", Rejected},
		{".", "554 transaction failed", Rejected},
		{".", "550 5.7.1 no", Rejected},
		{".", "251 2.1.5 will forward", -1},
	} {
		data, refused := false, false
		addr := serve(t, "220 hi\r\n", func(line string) string {
			verb, _, _ := strings.Cut(strings.ToUpper(line), " ")
			if data && line != "." {
				return ""
			}
			data = verb == "DATA"
			if verb == strings.TrimSuffix(tt.at, " FROM") && !refused {
				refused, data = true, false
				return tt.text + "\r\n"
			}
			switch verb {
			case "EHLO":
				return "250-x\r\n250-ENHANCEDSTATUSCODES\r\n250 SIZE 100000\r\n"
			case "DATA":
				return "354 go\r\n"
			}
			return "250 ok\r\n"
		})
		m := newTestSMTP(t, addr)
		results := m.Deliver(t.Context(), batch("c", 300, 300), new(begun).begin)
		if tt.class == -1 {
			if results[0].Err != nil {
				t.Errorf("%s %s: %v", tt.at, tt.text, results[0].Err)
			}
			continue
		}
		e := wantClass(t, results[0].Err, tt.class)
		if tt.class != e.Class || !strings.HasPrefix(tt.text, e.Text[:3]) {
			t.Errorf("%s %s: %v", tt.at, tt.text, e)
		}
		// The next mail is tried only where the mailbox is not ill.
		if tried := results[1].Err == nil; tried != (tt.class != Unavailable) {
			t.Errorf("%s %s: then %v", tt.at, tt.text, results[1].Err)
		}
	}
}

// What breaks off leaves its mail unknown from the dot on, and those behind it
// not begun.
func TestSMTPBatchCut(t *testing.T) {
	for _, point := range []faultproxy.Point{faultproxy.BeforeMail, faultproxy.BeforeData, faultproxy.BeforeEnd, faultproxy.AfterEnd} {
		server := startPost(t)
		proxy := startProxy(t, faultproxy.SMTP, server.addr)
		m := newTestSMTP(t, proxy.Addr())
		proxy.Script(faultproxy.Fault{}, faultproxy.Fault{At: point, Do: faultproxy.Cut})
		results := m.Deliver(t.Context(), batch("c", 20000, 20000, 20000), new(begun).begin)
		if results[0].Err != nil {
			t.Error(results[0].Err)
		}
		if point < faultproxy.BeforeEnd { // nothing counted: it goes out on a new connection
			if results[1].Err != nil || results[2].Err != nil || server.count() != 3 {
				t.Errorf("%v: %v, %v; %d arrived", point, results[1].Err, results[2].Err, server.count())
			}
			continue
		}
		wantClass(t, results[1].Err, Unknown)
		wantClass(t, results[2].Err, Unavailable)
	}
}

// A server that falls silent is given up, more patiently once it has the mail.
func TestSMTPSilence(t *testing.T) {
	server := startPost(t)
	for _, point := range faultproxy.Points {
		proxy := startProxy(t, faultproxy.SMTP, server.addr)
		m := newTestSMTP(t, proxy.Addr())
		m.idleTimeout, m.finalReplyTimeout = 100*time.Millisecond, 300*time.Millisecond
		proxy.Script(faultproxy.Fault{At: point, Do: faultproxy.Stall})
		_, err := deliverOne(t.Context(), m, testMail("a@covebridge", 1000), new(begun).begin)
		want, after := Unavailable, "no answer for 100ms"
		if point >= faultproxy.InData { // so small a mail leaves at once, with its dot
			want, after = Unknown, "no answer for 300ms"
		}
		if e := wantClass(t, err, want); !strings.Contains(e.Error(), after) {
			t.Errorf("%v: %v", point, e)
		}
	}
}
