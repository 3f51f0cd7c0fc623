package mailbox

import (
	"errors"
	"strings"
	"testing"

	"github.com/emersion/go-smtp"
)

// An address beyond ASCII goes to a server with SMTPUTF8, and keeps none that
// is plain from one without.
func TestSMTPInternationalAddresses(t *testing.T) {
	mail := testMail("a@covebridge", 300)
	mail.From, mail.To = "Cove <a@xn--bcher-kva.de>", []string{"b@xn--bcher-kva.de"}
	plain := startListener(t, "354 go ahead\r\n")
	m := newTestSMTP(t, plain.addr)
	mustDeliver(t, m, mail)
	if said := strings.Join(plain.said(), "\n"); !strings.Contains(said, "MAIL FROM:<a@xn--bcher-kva.de>") || !strings.Contains(said, "RCPT TO:<b@xn--bcher-kva.de>") || strings.Contains(said, "SMTPUTF8") {
		t.Errorf("the client said\n%s", said)
	}

	mail.From = "jörg@xn--bcher-kva.de"
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
}
