package endtoend

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"covebridge/bridge/covesim"
	"covebridge/bridge/finding"
	"covebridge/bridge/internal/dovecot"
	"covebridge/bridge/internal/faultproxy"
	"covebridge/bridge/internal/pgtest"
	"covebridge/templates"
)

// Whatever an administrator does wrong shows within one poll, the first one
// after it: on the page, in status, in the metrics and in the heartbeat, with
// what helps.
func TestFailuresShow(t *testing.T) {
	const folder = "delivery: {directory: mails}\n"
	box := dovecot.Start(t, dovecot.Options{})
	imap := func(more string) string {
		return fmt.Sprintf("delivery: {imap: {address: %q, tls: none, username: %s, password: %s, mailbox: Cove, %s}}\n", box.Addr, box.User, box.Password, more)
	}
	swap := func(old, new string) func(*site) string {
		return func(s *site) string {
			if !strings.Contains(s.settings, old) {
				t.Errorf("the settings have no %q", old)
			}
			s.settings = strings.Replace(s.settings, old, new, 1)
			return folder
		}
	}
	faults := func(all ...covesim.Fault) func(*site) string {
		return func(s *site) string {
			for _, f := range all {
				s.sim.Fault(f)
			}
			return folder
		}
	}
	always := func(settings string) func(*site) string { return func(*site) string { return settings } }
	const nobody = "127.0.0.1:1" // tcpmux: nothing listens there

	slots := make(chan struct{}, 8)
	var all sync.WaitGroup
	defer all.Wait()
	for _, c := range []struct {
		name     string
		finding  string
		severity finding.Severity
		why      string               // part of the cause
		remedy   string               // part of it
		cause    func(s *site) string // does it, and gives the rest of the settings
	}{
		{"the password of Cove is wrong", "login_refused", finding.Failed, "2100", "password (an API user's password is its token)",
			swap("password: covesim", "password: outdated")},
		{"the name of Cove's host is wrong", "polls_failing", finding.Failed, "cove.invalid", "covebridge check",
			swap("url: http://", "url: https://cove.invalid/")},
		{"nothing listens at Cove's address", "polls_failing", finding.Failed, "refused", "covebridge check", func(s *site) string {
			s.settings = strings.Replace(s.settings, "url: http://", "url: http://"+nobody+"/", 1)
			return folder
		}},
		{"Cove's certificate is not known", "polls_failing", finding.Failed, "certificate", "covebridge check", func(s *site) string {
			server := httptest.NewTLSServer(s.sim)
			s.Cleanup(server.Close)
			s.settings = strings.Replace(s.settings, "url: http://", "url: "+server.URL+"/jsonapi?", 1)
			return folder
		}},
		{"a proxy answers with a page of its own", "polls_failing", finding.Failed, "", "covebridge check", faults(covesim.Fault{Kind: covesim.HTML})},
		{"the API user may not see the devices", "polls_failing", finding.Failed, "13501", "covebridge check",
			faults(covesim.Fault{Kind: covesim.Denied, Method: "EnumerateAccountStatistics"})},
		{"storage nodes are not reached", "history_unreadable", finding.Warning, "", "https",
			faults(covesim.Fault{Kind: covesim.Denied, Method: "QuerySessions"}, covesim.Fault{Kind: covesim.Denied, Method: "EnumerateSessions"})},
		{"partner_id is another's", "devices_missing", finding.Failed, "none is shown", "partner_id", swap("password: covesim", "password: covesim\n    partner_id: 77")},
		{"filters let nothing through", "nothing_passes", finding.Failed, "filter.customers", "filter", always(folder + "filter: {customers: {include: [Nobody]}}\n")},
		{"the clock is an hour off", "clock_off", finding.Warning, "", "timedatectl", func(s *site) string {
			s.sim.Advance(time.Hour)
			return folder
		}},
		{"the folder of the mails is missing", "mailbox_ill", finding.Failed, "nowhere", "", always("delivery: {directory: nowhere}\n")},
		{"nothing listens at the mailbox's address", "mailbox_ill", finding.Failed, "refused", "port",
			always(strings.Replace(imap(""), box.Addr, nobody, 1))},
		{"the mailbox's password is wrong", "mailbox_ill", finding.Failed, "AUTHENTICATIONFAILED", "password", always(strings.Replace(imap(""), box.Password, "outdated", 1))},
		{"the mailbox's folder is missing", "mailbox_ill", finding.Failed, "Missing", "create: true", always(strings.Replace(imap("create: false"), "mailbox: Cove", "mailbox: Missing", 1))},
		{"the mailbox's certificate is not known", "mailbox_ill", finding.Failed, "unknown authority", "authority",
			always(strings.NewReplacer(box.Addr, box.TLSAddr, "tls: none", "tls: tls").Replace(imap("")))},
		{"the mailbox is full", "mailbox_ill", finding.Failed, "OVERQUOTA", "quota", func(s *site) string {
			proxy, err := faultproxy.New(faultproxy.IMAP, box.Addr)
			if err != nil {
				t.Fatal(err)
			}
			s.Cleanup(func() { proxy.Close() })
			var full []faultproxy.Fault
			for range 10000 {
				full = append(full, faultproxy.Fault{At: faultproxy.BeforeMail, Do: faultproxy.Answer, Text: "NO [OVERQUOTA] Quota exceeded"})
			}
			proxy.Script(full...)
			return strings.Replace(imap(""), box.Addr, proxy.Addr(), 1)
		}},
		{"the client secret has expired", "mailbox_ill", finding.Failed, "AADSTS7000222", "Certificates & secrets", func(s *site) string {
			entra := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusUnauthorized)
				fmt.Fprint(w, `{"error":"invalid_client","error_description":"AADSTS7000222: The provided client secret keys for app are expired."}`)
			}))
			s.Cleanup(entra.Close)
			return fmt.Sprintf("delivery: {imap: {address: %q, tls: none, username: u@msp.example, auth: xoauth2, mailbox: Cove}, oauth2: {tenant: t, client_id: c, client_secret: s, token_url: %q}}\n",
				box.Addr, entra.URL)
		}},
		{"the recipient is unknown", "mailbox_ill", finding.Failed, "550", "mail.to", func(s *site) string {
			return fmt.Sprintf("delivery: {smtp: {address: %q, tls: none}}\n", refusing(s, "RCPT", "550 5.1.1 no such user here"))
		}},
		{"the sender is not allowed", "mailbox_ill", finding.Failed, "550", "mail.from", func(s *site) string {
			return fmt.Sprintf("delivery: {smtp: {address: %q, tls: none}}\n", refusing(s, "MAIL", "550 5.7.60 SMTP; Client does not have permissions to send as this sender"))
		}},
		{"a template fails on some runs", "mails_given_up", finding.Failed, "text.tmpl", "resend --failed", func(s *site) string {
			dir := filepath.Join(s.dir, "templates")
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			text, err := templates.FS.ReadFile("text.tmpl")
			if err != nil {
				t.Fatal(err)
			}
			s.write("templates/text.tmpl", string(text)+`{{if eq .Run.Device.Customer "Müller & Söhne GmbH"}}{{index .Objects 99}}{{end}}`)
			s.settings = strings.Replace(s.settings, "mail: {", "mail: {templates: templates, ", 1)
			return folder
		}},
	} {
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			t.Run(c.name, func(t *testing.T) {
				s := bareSite(t, covesim.Options{Seed: 1, Devices: 4, Without: covesim.AllQuirks})
				if err := os.Mkdir(filepath.Join(s.dir, "mails"), 0o755); err != nil {
					t.Fatal(err)
				}
				d := s.start(c.cause(s))
				defer d.end()
				var f finding.Finding
				d.waitFor(func() (err error) {
					if f, err = d.told(c.finding); err != nil {
						return err
					}
					if f.Severity != c.severity || !strings.Contains(f.Why, c.why) || f.Remedy == "" || !strings.Contains(f.Remedy, c.remedy) {
						return fmt.Errorf("got %+v", f)
					}
					for _, where := range []surface{onPage, inStatus, inMetrics, inHeartbeat} {
						if err := d.shows(where, f); err != nil {
							return err
						}
					}
					return nil
				})
				t.Logf("%s: %s", f.Severity, f)
			})
		})
	}
}

// A database that is away while covebridge runs can't hold a finding or a
// heartbeat: the page, which the running one serves, and the metrics tell, and
// so does whoever can't read it. It is over once it is back.
func TestDatabaseAway(t *testing.T) {
	url, err := url.Parse(pgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	link := newLink(t, url.Host)
	url.Host = link.address
	s := bareSite(t, covesim.Options{Seed: 1, Devices: 4, Without: covesim.AllQuirks})
	d := s.start("delivery: {directory: .}\nledger: {postgres: '" + url.String() + "'}\n")
	defer d.end()
	f := finding.Finding{Name: "ledger_unwritable", Severity: finding.Failed, What: "the ledger can't be written",
		Remedy: "is the PostgreSQL server running, and can it be reached from here?"}
	well := func() error {
		text, err := d.get("/")
		if err == nil && strings.Contains(text, f.What) {
			err = errors.New(text)
		}
		return err
	}
	d.waitFor(well)
	link.cut()
	d.waitFor(func() error { return errors.Join(d.shows(onPage, f), d.shows(inMetrics, f)) })
	if _, errs := s.run(1, s.command("status")); !strings.Contains(errs, f.Remedy) {
		t.Errorf("status says %q", errs)
	}
	link.mend()
	d.waitFor(well)
}

// Where the page can't be served, the others tell.
func TestPortTaken(t *testing.T) {
	s := bareSite(t, covesim.Options{Seed: 1, Devices: 4, Without: covesim.AllQuirks})
	ln, err := net.Listen("tcp", s.page)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	d := s.start("delivery: {directory: .}\n")
	defer d.end()
	d.waitFor(func() error {
		f, err := d.told("page_down")
		if err != nil || !strings.Contains(f.Remedy, "http.listen") {
			return fmt.Errorf("%+v: %w", f, err)
		}
		return errors.Join(d.shows(inStatus, f), d.shows(inHeartbeat, f))
	})
}
