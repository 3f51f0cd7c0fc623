package main

import (
	"net"
	"net/mail"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// cove asks for the login to Cove.
func (i *interview) cove() {
	const key = "cove[0]."
	usual := i.usual.Cove[0].URL
	i.ask(key+"url", "Address of its API", usual)
	i.ask(key+"username", "Name of the API user", "")
	i.askSecret(key+"password", "Its token")
	i.ask(key+"partner", "Customer's name, for logins that need it", "")

	delete(i.values, key+"reporting_url")
	delete(i.values, key+"node_url")
	api, err := url.Parse(i.text(key + "url"))
	if err != nil || api.String() == usual {
		return
	}
	i.values[key+"reporting_url"] = api.JoinPath("..", "reporting_api").String()
	if api.Scheme == "http" { // a simulator is its own storage node
		i.values[key+"node_url"] = api.JoinPath("..", "repserv_json").String()
	}
}

// mails asks for what is common to all mails.
func (i *interview) mails() {
	i.askList("mail.to", "Address of the mailbox that Backupchecks reads")
	from := ""
	if _, domain, ok := strings.Cut(i.recipient(), "@"); ok {
		from = "cove@" + domain
	}
	i.ask("mail.from", "Their sender, by which Backupchecks knows them", from)
	i.ask("mail.timezone", "Time zone of the times in them", systemZone())
}

// recipient is the first of mail.to, without a name.
func (i *interview) recipient() string {
	to, _ := i.values["mail.to"].([]string)
	if len(to) == 0 {
		return ""
	}
	a, err := mail.ParseAddress(to[0])
	if err != nil {
		return ""
	}
	return a.Address
}

// mailbox asks for the way to the mailbox.
func (i *interview) mailbox() {
	way := "imap"
	if i.text("delivery.smtp.address") != "" {
		way = "smtp"
	}
	if way = i.oneOf("Way there", way, "imap", "smtp"); i.err != nil {
		return
	}
	if way == "imap" {
		i.forget("delivery.smtp.")
		delete(i.values, "delivery.imap")
		host := i.server("delivery.imap.", "993")
		i.login("delivery.imap.", host, "password", "oauth2")
		i.ask("delivery.imap.mailbox", "Folder", "INBOX")
		return
	}
	i.forget("delivery.imap.")
	i.values["delivery.imap"] = nil
	host := i.server("delivery.smtp.", "587")
	i.login("delivery.smtp.", host, "password", "oauth2", "none")
}

// server asks for a mail server, and gives its host.
func (i *interview) server(key, port string) (host string) {
	usual := i.text(key + "address")
	i.until(key+"address", func() (any, error) {
		host, err := i.line("Server, with its port unless that is "+port, usual)
		if _, _, unsplit := net.SplitHostPort(host); unsplit != nil && host != "" {
			host = net.JoinHostPort(strings.Trim(host, "[]"), port)
		}
		return host, err
	})
	host, port, _ = net.SplitHostPort(i.text(key + "address"))
	delete(i.values, key+"tls") // it goes with the address
	i.ask(key+"tls", "Encryption: tls, starttls or none", usualTLS(host, port))
	return host
}

// login asks for what proves who one is, by one of some ways.
func (i *interview) login(key, host string, ways ...string) {
	by := "password"
	user, before := i.values[key+"username"].(string)
	switch {
	case i.text(key+"auth") == "xoauth2", !before && strings.HasSuffix(host, ".office365.com"):
		by = "oauth2"
	case before && user == "":
		by = "none"
	}
	if by = i.oneOf("Login by", by, ways...); i.err != nil {
		return
	}
	delete(i.values, key+"auth")
	if by != "oauth2" {
		i.forget("delivery.oauth2.")
	}
	if by == "none" {
		i.values[key+"username"], i.values[key+"password"] = "", nil
		return
	}
	if user == "" {
		delete(i.values, key+"username")
	}
	i.ask(key+"username", "User name", i.recipient())
	if by == "password" {
		i.askSecret(key+"password", "Password")
		return
	}
	i.values[key+"password"], i.values[key+"password_file"] = nil, nil
	i.ask("delivery.oauth2.tenant", "Tenant id", "")
	i.ask("delivery.oauth2.client_id", "Application (client) id", "")
	i.askSecret("delivery.oauth2.client_secret", "Client secret")
	i.values[key+"auth"] = "xoauth2"
}

// usualTLS is how a mail server is encrypted at a port (RFC 8314).
func usualTLS(host, port string) string {
	switch {
	case port == "993" || port == "465":
		return "tls"
	case host == "localhost" || net.ParseIP(host).IsLoopback():
		return "none"
	}
	return "starttls"
}

// systemZone is this machine's time zone by its name, or UTC where it has none.
func systemZone() string {
	zone, set := os.LookupEnv("TZ")
	if !set {
		// localtime(5): it is a link to the zone's file.
		file, _ := filepath.EvalSymlinks("/etc/localtime")
		_, zone, _ = strings.Cut(file, "/zoneinfo/")
	}
	if _, err := time.LoadLocation(zone); err != nil || zone == "" || zone == "Local" {
		return "UTC"
	}
	return zone
}
