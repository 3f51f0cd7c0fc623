package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"covebridge"
	"covebridge/bridge/config"
)

// script answers questions by what they begin with, each in its turn; others get
// what is usual.
type script struct {
	answers [][2]string
	said    []string
}

func (s *script) line(prompt, usual string) (string, error) {
	if len(s.answers) > 0 && strings.HasPrefix(prompt, s.answers[0][0]) {
		answer := s.answers[0][1]
		s.answers = s.answers[1:]
		return answer, nil
	}
	return usual, nil
}

func (s *script) secret(prompt string) (string, error) { return s.line(prompt, "") }

func (s *script) say(line string) { s.said = append(s.said, line) }

// TestInterviewMailbox: the way to the mailbox can be answered anew, and what
// was answered of another way is gone.
func TestInterviewMailbox(t *testing.T) {
	s := &script{}
	i := &interview{questions: s, form: covebridge.ExampleConfig, values: map[string]any{"mail.to": []string{"Backups <backups@msp.example>"}, "cove[0].password": "token"}}
	delivery := func(answers ...[2]string) config.Delivery {
		t.Helper()
		s.answers = answers
		if i.mailbox(); i.err != nil || len(s.answers) > 0 {
			t.Fatalf("%v; not asked for: %q", i.err, s.answers)
		}
		text, err := config.Fill(i.form, i.values)
		if err != nil {
			t.Fatal(err)
		}
		c, err := config.Parse("answers", text, config.Env{})
		if err != nil {
			t.Fatal(err)
		}
		return c.Delivery
	}
	same := func(what string, want, got config.Delivery) {
		t.Helper()
		if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b config.Secret) bool { return string(a) == string(b) })); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	imap := config.IMAP{TLS: "tls", Auth: "xoauth2", Username: "backups@msp.example", Mailbox: "INBOX", Create: true, AlsoSearch: []string{}, Connections: 2}
	imap.Address = "outlook.office365.com:993"
	oauth := config.OAuth2{Tenant: "t", ClientID: "c", ClientSecret: "s"}
	same("Exchange Online", config.Delivery{IMAP: &imap, OAuth2: oauth},
		delivery([2]string{"Server", "outlook.office365.com"}, [2]string{"Tenant", "t"}, [2]string{"Application", "c"}, [2]string{"Client secret", "s"}))
	same("the same again", config.Delivery{IMAP: &imap, OAuth2: oauth}, delivery())

	smtp := config.SMTP{Address: "[::1]:25", TLS: "starttls", Auth: "plain", Username: "u", Password: "p"}
	same("SMTP", config.Delivery{SMTP: &smtp}, delivery([2]string{"Way", "SMTP"}, [2]string{"Server", "[::1]:25"}, [2]string{"Encryption", "starttls"},
		[2]string{"User name", "u"}, [2]string{"Password", "p"}))
	bare := config.SMTP{Address: "mail.msp.example:587", TLS: "starttls", Auth: "plain"}
	same("SMTP without a login", config.Delivery{SMTP: &bare}, delivery([2]string{"Server", "mail.msp.example"}, [2]string{"Login by", "none"}))
	same("and that again", config.Delivery{SMTP: &bare}, delivery())

	s.said = nil
	imap = config.IMAP{Address: "mail.msp.example:993", TLS: "tls", Auth: "plain", Username: "backups@msp.example", Password: "$p", Mailbox: "Reports", Create: true, AlsoSearch: []string{}, Connections: 2}
	same("IMAP", config.Delivery{IMAP: &imap}, delivery([2]string{"Way", "pop3"}, [2]string{"Way", "imap"}, [2]string{"Server", ""}, [2]string{"Server", "mail.msp.example"},
		[2]string{"Encryption", "none"}, [2]string{"Encryption", "tls"}, [2]string{"Password", ""}, [2]string{"Password", "$p"}, [2]string{"Folder", "Reports"}))
	want := []string{"→ imap or smtp is expected", "→ missing: the server and its port", "→ none would send password and mails in the clear", "→ missing: the password"}
	if len(s.said) != len(want) {
		t.Fatalf("said %q", s.said)
	}
	for n, w := range want {
		if !strings.HasPrefix(s.said[n], w) {
			t.Errorf("said %q, want %q", s.said[n], w)
		}
	}
}

// ended is a person who is gone.
type ended struct{ script }

func (*ended) line(string, string) (string, error) { return "", errBrokenOff }

func TestInterviewEnds(t *testing.T) {
	e := &ended{}
	i := &interview{questions: e, form: covebridge.ExampleConfig}
	if text, err := i.run(t.Context()); !errors.Is(err, errBrokenOff) || text != nil {
		t.Errorf("got %s, %v", text, err)
	}
}
