package config

import (
	"fmt"
	"net"
	"net/mail"
	"slices"
	"strings"
	"time"
)

// longWindow is a poll.run_window beyond which backups that have nothing to do
// with each other become one run.
const longWindow = 4 * time.Hour

// Suspicious are sentences on what may be as it is wanted, but seldom is:
// placeholders that nobody replaced, a window that swallows runs, a folder with
// a path's name.
func (c *Config) Suspicious() (all []string) {
	doubt := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	address := func(key, text string) {
		domain := text
		if a, err := mail.ParseAddress(text); err == nil {
			domain = a.Address[strings.LastIndexByte(a.Address, '@')+1:]
		} else if host, _, err := net.SplitHostPort(text); err == nil {
			domain = host
		}
		if placeholder(domain) {
			doubt("%s is %s, a placeholder: no mail goes there or comes from there; name your own", key, text)
		}
	}
	address("mail.from", c.Mail.From)
	for i, to := range c.Mail.To {
		address(fmt.Sprintf("mail.to[%d]", i), to)
	}
	if i := c.Delivery.IMAP; i != nil {
		address("delivery.imap.address", i.Address)
		for _, folder := range append([]string{i.Mailbox}, i.AlsoSearch...) {
			if slices.Contains(strings.FieldsFunc(folder, func(r rune) bool { return r == '/' || r == '\\' }), "..") || strings.HasPrefix(folder, "/") {
				doubt("delivery.imap names the folder %s, which looks like a path of a file system: name it as mail programs show it, such as INBOX or Backup/Cove", folder)
			}
		}
	}
	if s := c.Delivery.SMTP; s != nil {
		address("delivery.smtp.address", s.Address)
	}
	if c.Poll.RunWindow > longWindow {
		doubt("poll.run_window is %s: sessions of a device so far apart make one run, and one mail; 10m is usual", c.Poll.RunWindow)
	}
	return all
}

// reserved are the names that belong to nobody and never will (RFC 2606, RFC 6761).
var reserved = []string{"example", "test", "invalid", "example.com", "example.net", "example.org"}

// placeholder tells whether a domain is reserved for examples.
func placeholder(domain string) bool {
	domain = strings.ToLower(strings.TrimSuffix(domain, "."))
	return slices.ContainsFunc(reserved, func(r string) bool { return domain == r || strings.HasSuffix(domain, "."+r) })
}
