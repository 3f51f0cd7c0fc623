package mailbox

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"covebridge/bridge/internal/realtest"
	"covebridge/bridge/internal/testcert"
)

// A server that greets badly delivers nothing, says why, and leaves nothing behind.
func TestGreetings(t *testing.T) {
	realtest.Long(t, "it waits for servers that say nothing")
	for greeting, want := range map[string]string{
		"* BYE too many connections\r\n": "too many connections", // as a greeting, or as a good-bye: go-imap tells which it read first
		"* NO go away\r\n":               "NO go away",
		"garbage\r\n":                    "connect",
		"* OK":                           "no answer in time",
		"":                               "no answer in time",
		"+ \r\n":                         "connect",
		strings.Repeat("x", 1<<20):       "no answer in time",
		"554 5.7.1 go away\r\n":          "connect",
		"* BYE \u202etxet \u009b31m\r\n": "txet  31m", // as above
		"* PREAUTH \x1b[31mhi\r\n* BYE going down\r\n": "hung up: going down",
	} {
		before := goleak.IgnoreCurrent()
		for _, mode := range []string{"none", "starttls"} {
			patience := 10 * time.Second
			if want == "no answer in time" || mode == "starttls" {
				patience = 300 * time.Millisecond
			}
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			addr, stop := serveUntil(t, greeting, func(string) string { return "" })
			m := NewIMAP(IMAPOptions{Address: addr, TLS: mode, Username: "u", Password: "secret-pass"})
			var b begun
			_, err := deliverOne(ctx, m, testMail("a@covebridge", 300), b.begin)
			e := wantClass(t, err, Unavailable)
			if mode == "none" && !strings.Contains(e.Error(), want) || len(b.marks) != 0 || strings.ContainsAny(e.Error(), "\u202e\u009b\x1b") {
				t.Errorf("%.40q, %s: %v", greeting, mode, err)
			}
			m.Close()
			cancel()
			stop()
		}
		goleak.VerifyNone(t, before)
	}
}

// STARTTLS cut at any byte, and one with more behind it, leave nothing behind.
func TestStartTLSCut(t *testing.T) {
	cert := testcert.New(t, time.Time{}, "127.0.0.1")
	before := goleak.IgnoreCurrent()
	for _, answer := range []string{"", "S", "S OK", "S OK begin", "S OK begin\r", "S OK begin\r\n", "S NO [UNAVAILABLE] later\r\n", "* BYE\r\n",
		"S OK begin\r\n* OK injected\r\n", strings.Repeat("* OK on and on\r\n", 1000)} {
		addr, stop := serveUntil(t, "* OK hi\r\n", func(line string) string {
			if strings.Contains(line, "STARTTLS") {
				return answer + hangUp
			}
			return ""
		})
		m := NewIMAP(IMAPOptions{Address: addr, TLS: "starttls", TLSConfig: cert.Client, Username: "u", Password: "secret-pass"})
		began := time.Now()
		_, err := deliverOne(t.Context(), m, testMail("a@covebridge", 300), nil)
		if wantClass(t, err, Unavailable); time.Since(began) > 5*time.Second {
			t.Errorf("%.40q: after %v: %v", answer, time.Since(began), err)
		}
		m.Close()
		stop()
	}
	goleak.VerifyNone(t, before)
}

// Why a server hangs up in the middle is told.
func TestGoodbye(t *testing.T) {
	addr := scripted(t, func(tag, command string) string {
		if strings.HasPrefix(command, "STATUS") {
			return "* BYE Suggested Backoff Time: 5000 milliseconds\r\n" + hangUp
		}
		return tag + " OK done\r\n"
	})
	_, err := deliverOne(t.Context(), newTestIMAP(t, addr), testMail("a@covebridge", 300), nil)
	if e := wantClass(t, err, Unavailable); !strings.Contains(e.Text, "Suggested Backoff") || e.RetryAfter != 5*time.Second {
		t.Error(e)
	}
}

// A reply without an end ends an SMTP connection, not the program.
func TestSMTPEndlessReply(t *testing.T) {
	addr := serve(t, "220 hi\r\n", func(line string) string {
		return strings.Repeat("250-"+strings.Repeat("x", 900)+"\r\n", 50<<10)
	})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := deliverOne(t.Context(), newTestSMTP(t, addr), testMail("a@covebridge", 300), nil)
	runtime.ReadMemStats(&after)
	if e := wantClass(t, err, Unavailable); !strings.Contains(e.Error(), "longer than 1 MiB") {
		t.Errorf("%.300v", e)
	}
	if took := (after.TotalAlloc - before.TotalAlloc) >> 20; took > 100 { // the test's own server allocates 45
		t.Errorf("%d MiB", took)
	}
}
