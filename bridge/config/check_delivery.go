package config

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
)

func (d *decoder) checkDelivery(c *Delivery) {
	switch {
	case c.IMAP == nil && c.SMTP == nil && c.Directory == "":
		d.problemf("delivery", "missing: set one of imap, smtp and directory")
	case c.Directory != "" && (c.IMAP != nil || c.SMTP != nil):
		d.problemf("delivery", "set one of imap, smtp and directory (only imap may stand beside smtp, to ask it what arrived)")
	}
	if i := c.IMAP; i != nil {
		const path = "delivery.imap"
		d.server(path, i.Address, &i.TLS, i.AllowPlaintext, "993")
		d.login(path, i.Username, i.Password, &i.Auth, c.OAuth2)
		if i.Username == "" {
			d.problemf(path+".username", "missing: the name to log in with")
		}
		if i.Mailbox == "" {
			d.problemf(path+".mailbox", "missing: the folder that mails are put into, such as INBOX")
		}
		d.within(path+".connections", i.Connections, 1, 32)
	}
	if s := c.SMTP; s != nil {
		const path = "delivery.smtp"
		d.server(path, s.Address, &s.TLS, s.AllowPlaintext, "587")
		d.login(path, s.Username, s.Password, &s.Auth, c.OAuth2)
		if s.Username == "" && s.Password != "" {
			d.problemf(path+".username", "missing: the name to log in with; leave out the password too for none")
		}
		if s.Rate < 0 {
			d.problemf(path+".rate", "0 or a number of mails per minute is expected, not %s", d.asWritten(path+".rate"))
		}
	}
	d.checkOAuth2(c)
}

// server checks where to connect to. Encryption may be left out on the way to
// the local host only.
func (d *decoder) server(path, address string, tls *string, plaintext bool, port string) {
	host, number, err := net.SplitHostPort(address)
	n, _ := strconv.Atoi(number)
	switch {
	case address == "":
		d.problemf(path+".address", "missing: the server and its port, such as mail.example:%s", port)
	case err != nil || host == "" || n < 1 || n > 65535:
		d.problemf(path+".address", "a server and its port such as mail.example:%s is expected, not %s", port, d.asWritten(path+".address"))
	}
	d.word(path+".tls", tls, "tls", "starttls", "none")
	if *tls == "none" && !local(host) && !plaintext {
		d.problemf(path+".tls", "none would send password and mails in the clear: use tls or starttls%s", orAllow(path+".tls"))
	}
}

// local tells whether a host is this machine.
func local(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.IsLoopback()
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

func (d *decoder) login(path, username string, password Secret, auth *string, o OAuth2) {
	d.word(path+".auth", auth, "plain", "login", "xoauth2")
	if *auth != "xoauth2" {
		if username != "" && password == "" {
			d.problemf(path+".password", "missing: the password, or password_file: PATH")
		}
		return
	}
	if username == "" && path == "delivery.smtp" {
		d.problemf(path+".username", "missing: the mailbox that xoauth2 logs in to")
	}
	secret := o.ClientSecret != "" || d.failed["delivery.oauth2.client_secret"]
	if o.ClientID == "" || !secret || o.Tenant == "" && o.TokenURL == "" {
		d.problemf(path+".auth", "xoauth2 needs client_id, client_secret and tenant (or token_url) in delivery.oauth2")
	}
}

func (d *decoder) checkOAuth2(c *Delivery) {
	o := c.OAuth2
	if o.TokenURL != "" {
		d.address("delivery.oauth2.token_url", o.TokenURL, false)
	}
	if strings.ContainsAny(o.Tenant, "/?#% ") {
		d.problemf("delivery.oauth2.tenant", "a tenant's id or domain is expected, not %s", d.asWritten("delivery.oauth2.tenant"))
	}
	used := c.IMAP != nil && c.IMAP.Auth == "xoauth2" || c.SMTP != nil && c.SMTP.Auth == "xoauth2"
	if o.ClientID != "" && !used {
		d.warnings = append(d.warnings, "delivery.oauth2 is set but not used: set auth: xoauth2 in imap or smtp")
	}
}
