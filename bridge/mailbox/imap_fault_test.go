package mailbox

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"

	"covebridge/bridge/internal/faultproxy"
)

func startProxy(t *testing.T, protocol faultproxy.Protocol, addr string) *faultproxy.Proxy {
	t.Helper()
	p, err := faultproxy.New(protocol, addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// sizes: a mail that goes out with its APPEND, and one that waits for the go-ahead.
var sizes = []int{300, 20000}

func TestIMAPCut(t *testing.T) {
	for _, size := range sizes {
		for _, point := range faultproxy.Points {
			for _, action := range []faultproxy.Action{faultproxy.Cut, faultproxy.Stall} {
				fault := faultproxy.Fault{At: point, Do: action}
				t.Run(fmt.Sprint(fault, size), func(t *testing.T) {
					server := startMemory(t, imap.CapUIDPlus, imap.CapLiteralPlus)
					proxy := startProxy(t, faultproxy.IMAP, server.addr)
					m := newTestIMAP(t, proxy.Addr())
					mustDeliver(t, m, testMail("before@covebridge", size))

					proxy.Script(fault)
					ctx, cancel := context.WithCancel(t.Context())
					if action == faultproxy.Stall {
						ctx, cancel = context.WithTimeout(t.Context(), 200*time.Millisecond)
					}
					defer cancel()
					var b begun
					mail := testMail("a@covebridge", size)
					_, err := deliverOne(ctx, m, mail, b.begin)
					wantClass(t, err, Unknown)
					if action == faultproxy.Stall && !errors.Is(err, context.DeadlineExceeded) {
						t.Error(err)
					}
					if len(b.marks) != 1 || b.marks[0] != "imap:INBOX:1:2" {
						t.Fatalf("begin got %q", b.marks)
					}

					receipt, found, err := findOne(t.Context(), m, mail.MessageID, b.marks[0], day)
					if err != nil {
						t.Fatal(err)
					}
					// Without the line end after the literal, a server may do as it likes.
					want := point == faultproxy.AfterEnd || found && point == faultproxy.BeforeEnd
					if found != want || found && receipt != "imap INBOX uid 2 uidvalidity 1" {
						t.Fatalf("found %v (%q), want %v", found, receipt, want)
					}
					if !found {
						mustDeliver(t, m, mail)
					}
					if n := server.count(t, "INBOX"); n != 2 {
						t.Errorf("%d mails, want 2", n)
					}
				})
			}
		}
	}
}

func TestIMAPAnswers(t *testing.T) {
	tests := []struct {
		text  string
		class Class
		retry time.Duration
	}{
		{"NO message contains a virus", Rejected, 0},
		{"NO", Rejected, 0},
		{"NO APPEND failed.", Rejected, 0},
		{"NO [CANNOT] no such thing", Rejected, 0},
		{"NO [XSTRANGE] no", Rejected, 0},
		{"NO [TOOBIG] too large", Final, 0},
		{"NO [LIMIT] Mail size is larger than the maximum size allowed by server configuration", Final, 0},
		{"NO Message too large", Final, 0},
		{"NO [OVERQUOTA] Quota exceeded (mailbox for user is full)", Unavailable, 0},
		{"NO [XQUOTA] mailbox full", Unavailable, 0},
		{"NO [UNAVAILABLE] storage is down", Unavailable, 0},
		{"NO [INUSE] locked", Unavailable, 0},
		{"NO [SERVERBUG] internal error", Unavailable, 0},
		{"NO [LIMIT] enough", Unavailable, 0},
		{"NO [NOPERM] read only", Unavailable, 0},
		{"NO [THROTTLED] Too many requests, try again later", Unavailable, 0},
		{"NO [ALERT] Too many simultaneous connections. (Failure)", Unavailable, 0},
		{"NO [SYS/TEMP] Server busy", Unavailable, 0},
		{"NO [READ-ONLY] read-only folder", Unavailable, 0},
		{"NO [ACL] no insert right", Unavailable, 0},
		{"NO Permission denied", Unavailable, 0},
		{"NO Resource limit", Unavailable, 0},
		{"NO Account exceeded command or bandwidth limits. (Failure)", Unavailable, 0},
		{"NO Mailbox doesn't exist: INBOX", Unavailable, 0},
		{"NO [TRYCREATE] no such folder", Unavailable, 0},
		{"NO Request is throttled. Suggested Backoff Time: 299609 milliseconds", Unavailable, 299609 * time.Millisecond},
		{"BAD Request is throttled. Suggested Backoff Time: 1000 milliseconds", Unavailable, time.Second},
		{"BAD Command Argument Error. 11", Unavailable, 0},
	}
	for _, size := range sizes {
		for _, point := range []faultproxy.Point{faultproxy.BeforeMail, faultproxy.BeforeEnd} {
			server := startMemory(t, imap.CapUIDPlus)
			proxy := startProxy(t, faultproxy.IMAP, server.addr)
			m := newTestIMAP(t, proxy.Addr())
			for _, tt := range tests {
				t.Run(fmt.Sprint(tt.text, point, size), func(t *testing.T) {
					proxy.Script(faultproxy.Fault{At: point, Do: faultproxy.Answer, Text: tt.text})
					var b begun
					_, err := deliverOne(t.Context(), m, testMail("a@covebridge", size), b.begin)
					e := wantClass(t, err, tt.class)
					if e.Text != tt.text || e.RetryAfter != tt.retry {
						t.Errorf("text %q, retry after %v", e.Text, e.RetryAfter)
					}
					// The next mail goes out on whatever connection is left.
					before := server.count(t, "INBOX")
					mustDeliver(t, m, testMail("b@covebridge", size))
					if n := server.count(t, "INBOX"); n != before+1 {
						t.Errorf("%d mails, want %d", n, before+1)
					}
				})
			}
		}
	}
}

// An answer that the client can't read leaves the outcome open, as a cut does.
func TestIMAPOddAnswers(t *testing.T) {
	server := startMemory(t, imap.CapUIDPlus)
	proxy := startProxy(t, faultproxy.IMAP, server.addr)
	m := newTestIMAP(t, proxy.Addr())
	for i, text := range []string{
		`OK [Error="x WrongServerException.Microsoft:y"] z`,
		"OK [APPENDUID x y] done",
		"MAYBE",
		"OK\r\n* XSTRANGE 1 2 3",
	} {
		proxy.Script(faultproxy.Fault{At: faultproxy.AfterEnd, Do: faultproxy.Answer, Text: text})
		id := fmt.Sprintf("odd-%d@covebridge", i)
		var b begun
		_, err := deliverOne(t.Context(), m, testMail(id, 300), b.begin)
		if err != nil {
			wantClass(t, err, Unknown)
		}
		if _, found, err := findOne(t.Context(), m, id, b.marks[0], day); !found || err != nil {
			t.Errorf("%s: found %v, %v", text, found, err)
		}
	}
}

// A connection that died while idle is replaced before begin.
func TestIMAPDeadIdleConnection(t *testing.T) {
	server := startMemory(t, imap.CapUIDPlus)
	proxy := startProxy(t, faultproxy.IMAP, server.addr)
	m := newTestIMAP(t, proxy.Addr())
	for i := range 3 {
		mustDeliver(t, m, testMail(fmt.Sprintf("%d@covebridge", i), 300))
		m.pool.mu.Lock()
		idle := m.pool.idle[0]
		m.pool.mu.Unlock()
		proxy.CutAll()
		<-idle.Closed()
	}
	if n := server.count(t, "INBOX"); n != 3 {
		t.Errorf("%d mails, want 3", n)
	}
}

// One whose death went unnoticed is found out by asking, once it is some seconds old.
func TestIMAPStaleIdleConnection(t *testing.T) {
	server := startMemory(t, imap.CapUIDPlus)
	m := newTestIMAP(t, server.addr)
	mustDeliver(t, m, testMail("a@covebridge", 300))
	idle := m.pool.idle[0]
	idle.used = time.Now().Add(-2 * aliveFor)
	idle.raw.Close()
	mustDeliver(t, m, testMail("b@covebridge", 300))
	if _, found, err := findOne(t.Context(), m, "b@covebridge", "", day); !found || err != nil {
		t.Error(found, err)
	}
}

// Whatever happens on the line, each mail arrives once.
func TestIMAPOnceUnderFire(t *testing.T) {
	server := startMemory(t, imap.CapUIDPlus, imap.CapLiteralPlus)
	proxy := startProxy(t, faultproxy.IMAP, server.addr)
	faults := append(faultproxy.Cuts(),
		faultproxy.Fault{At: faultproxy.BeforeMail, Do: faultproxy.Answer, Text: "NO [UNAVAILABLE] later"},
		faultproxy.Fault{At: faultproxy.BeforeEnd, Do: faultproxy.Answer, Text: "BAD throttled"},
		faultproxy.Fault{At: faultproxy.AfterEnd, Do: faultproxy.Delay, Delay: time.Millisecond},
	)
	proxy.Random(7, 0.5, faults...)
	m := newTestIMAP(t, proxy.Addr())
	for i := range 60 {
		mail := testMail(fmt.Sprintf("fire-%d@covebridge", i), sizes[i%2])
		for delivered := false; !delivered; {
			var b begun
			_, err := deliverOne(t.Context(), m, mail, b.begin)
			var e *Error
			switch {
			case err == nil:
				delivered = true
			case errors.As(err, &e) && e.Class == Unknown:
				if _, delivered, err = findOne(t.Context(), m, mail.MessageID, b.marks[0], day); err != nil {
					t.Fatal(err)
				}
			case classOf(err) != Unavailable:
				t.Fatal(err)
			}
		}
	}
	if n := server.count(t, "INBOX"); n != 60 {
		t.Errorf("%d mails, want 60", n)
	}
	if mails, struck := proxy.Counts(); struck < 20 {
		t.Errorf("faults struck %d of %d mails only", struck, mails)
	}
}
