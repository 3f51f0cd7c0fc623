package config

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestDoubts(t *testing.T) {
	for _, c := range []struct {
		why    string
		change func(*Config)
		want   []string // beginnings
	}{
		{"nothing to doubt", func(*Config) {}, nil},
		{"addresses nobody replaced", func(c *Config) {
			c.Mail.From, c.Mail.To = "Cove <cove@MSP.example>", []string{"a@acme.nl", "b@example.com", "c@mail.example.org"}
			c.Delivery.IMAP.Address = "mail.example.:993"
			c.Delivery.SMTP = &SMTP{Address: "smtp.invalid:587"}
		}, []string{"mail.from is Cove <cove@MSP.example>, a placeholder", "mail.to[1] is b@example.com", "mail.to[2] is c@mail", "delivery.imap.address is mail", "delivery.smtp.address is smtp"}},
		{"names that only look like one", func(c *Config) {
			c.Mail.To = []string{"a@myexample.com", "example.com@acme.nl", "b@example.com.acme.nl", "c@example.de"}
		}, nil},
		{"a window of a day", func(c *Config) { c.Poll.RunWindow = 24 * time.Hour }, []string{"poll.run_window is 24h0m0s: "}},
		{"one of four hours", func(c *Config) { c.Poll.RunWindow = 4 * time.Hour }, nil},
		{"paths for folders", func(c *Config) {
			c.Delivery.IMAP.Mailbox, c.Delivery.IMAP.AlsoSearch = "../../x", []string{`a\..\b`, "/var/mail", "a/b", "a..b", "INBOX.Done"}
		}, []string{"delivery.imap names the folder ../../x, ", `delivery.imap names the folder a\..\b`, "delivery.imap names the folder /var/mail"}},
	} {
		cfg := Default()
		cfg.Mail.From, cfg.Mail.To = "Cove <cove@acme.nl>", []string{"backups@acme.nl"}
		cfg.Delivery.IMAP = &IMAP{Address: "mail.acme.nl:993", Mailbox: "INBOX"}
		c.change(cfg)
		got := cfg.Suspicious()
		if !slices.EqualFunc(got, c.want, strings.HasPrefix) {
			t.Errorf("%s: got %q, want %q", c.why, got, c.want)
		}
	}
}
