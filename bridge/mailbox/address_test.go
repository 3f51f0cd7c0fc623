package mailbox

import (
	"errors"
	"strings"
	"testing"

	"github.com/emersion/go-smtp"
)

func TestASCIIAddress(t *testing.T) {
	for in, want := range map[string]string{
		"a@bücher.de":    "a@xn--bcher-kva.de",
		"a@BÜCHER.de":    "a@xn--bcher-kva.de",
		"jörg@bücher.de": "jörg@xn--bcher-kva.de",
		"jörg@msp.test":  "jörg@msp.test",
		"a@msp_x.test":   "a@msp_x.test",
		"a@[192.0.2.1]":  "a@[192.0.2.1]",
		"postmaster":     "postmaster",
		"":               "",
	} {
		if got, err := ASCIIAddress(in); got != want || err != nil {
			t.Errorf("%q: got %q, %v; want %q", in, got, err, want)
		}
	}
	if _, err := ASCIIAddress("a@bü cher.de"); err == nil {
		t.Error("a domain with a space was taken")
	}
}

// Domains go over the wire in ASCII; what stands before the @ as it is, where
// the server takes that.
func TestSMTPInternationalAddresses(t *testing.T) {
	mail := testMail("a@covebridge", 300)
	mail.From, mail.To = "Cove <a@bücher.de>", []string{"b@bücher.de"}
	plain := startListener(t, "354 go ahead\r\n")
	m := newTestSMTP(t, plain.addr)
	mustDeliver(t, m, mail)
	if said := strings.Join(plain.said(), "\n"); !strings.Contains(said, "MAIL FROM:<a@xn--bcher-kva.de>") || !strings.Contains(said, "RCPT TO:<b@xn--bcher-kva.de>") || strings.Contains(said, "SMTPUTF8") {
		t.Errorf("the client said\n%s", said)
	}

	mail.From = "jörg@bücher.de"
	var b begun
	_, err := deliverOne(t.Context(), m, mail, b.begin)
	if e := wantClass(t, err, Unavailable); !errors.Is(err, errNoUTF8) || !strings.Contains(e.Hint, "plain letters") {
		t.Error(err)
	}
	mustDeliver(t, m, testMail("b@covebridge", 300)) // on the same connection
	if said := strings.Join(plain.said(), "\n"); strings.Count(said, "EHLO") != 1 || strings.Contains(said, "jörg") {
		t.Errorf("the client said\n%s", said)
	}

	utf8 := startPost(t, func(s *smtp.Server) { s.EnableSMTPUTF8 = true })
	mustDeliver(t, newTestSMTP(t, utf8.addr), mail)
	mail.From = "a@bü cher.de"
	_, err = deliverOne(t.Context(), newTestSMTP(t, utf8.addr), mail, new(begun).begin)
	wantClass(t, err, Unavailable)
}
