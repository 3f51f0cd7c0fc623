package bridge

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"covebridge/bridge/backup"
	"covebridge/bridge/collect"
	"covebridge/bridge/config"
	"covebridge/bridge/cove"
	"covebridge/bridge/message"
)

// Each setting that is not the default arrives where it counts.
func TestSettings(t *testing.T) {
	c := config.Default()
	c.Cove = []config.Account{{
		Name: "second", URL: "https://a.example/jsonapi", ReportingURL: "https://b.example/r", RecoveryURL: "https://c.example/d", NodeURL: "https://HOST/n",
		Partner: "Acme (a@acme.example)", Username: "api", Password: "geheim", PartnerID: 17,
	}}
	c.Poll = config.Poll{
		Interval: time.Minute, Sweep: 2 * time.Minute, History: "off", Backfill: 3 * time.Minute, RunWindow: 4 * time.Minute,
		MaxWait: 5 * time.Minute, PageSize: 6, Rate: 7.5, Concurrency: 8,
	}
	c.Recovery = "off"
	c.Silence = config.Silence{Server: time.Hour, Workstation: 2 * time.Hour, M365: 3 * time.Hour}
	c.Job = config.Job{GroupBy: "data_source", NotInCloud: "Success", Name: "{{.Device.Alias}}!", StatusMap: map[string]string{"8": "failed"}}
	c.Filter = config.Filter{
		Customers: config.Globs{Include: []string{"a"}, Exclude: []string{"b"}}, Devices: config.Globs{Include: []string{"c"}, Exclude: []string{"d"}},
		DataSources: config.Globs{Include: []string{"e"}, Exclude: []string{"f"}}, Types: []string{backup.Server}, Statuses: []string{"Warning", "failed"},
	}
	c.Mail.From, c.Mail.To, c.Mail.Timezone = "Cove <cove@msp.example>", []string{"x@msp.example", "y@msp.example"}, "Asia/Tokyo"
	c.Delivery.Directory = t.TempDir()
	o, err := options(c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}

	same := func(what string, got, want any) {
		t.Helper()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
	}
	same("interval", o.Interval, time.Minute)
	same("deliver", []any{o.Deliver.From, o.Deliver.To, o.Deliver.Connections}, []any{c.Mail.From, c.Mail.To, 1})
	k := o.Collect
	same("collect", []any{k.Sweep, k.Baseline, k.History, k.Recovery, k.Concurrency}, []any{2 * time.Minute, 3 * time.Minute, false, false, 8})
	same("rules", k.Rules, backup.Rules{
		Window: 4 * time.Minute, MaxWait: 5 * time.Minute, BySource: true,
		Silence: map[string]time.Duration{backup.Server: time.Hour, backup.Workstation: 2 * time.Hour, backup.Microsoft365: 3 * time.Hour},
	})
	same("filter", k.Filter, collect.Filter{
		Customers: collect.Globs{Include: []string{"a"}, Exclude: []string{"b"}}, Devices: collect.Globs{Include: []string{"c"}, Exclude: []string{"d"}},
		DataSources: collect.Globs{Include: []string{"e"}, Exclude: []string{"f"}}, Types: []string{backup.Server},
		Statuses: []backup.Status{backup.Warning, backup.Failed},
	})
	run := backup.Run{ID: "r", Device: backup.Device{Name: "srv1", Alias: "mail"}, Start: time.Date(2026, 11, 24, 20, 0, 0, 0, time.UTC)}
	run.Job, err = k.Job.Name(run)
	same("job", []any{run.Job, err}, []any{"mail!", nil})
	m, err := k.Renderer.Render(run)
	if err != nil {
		t.Fatal(err)
	}
	text, err := message.Read(strings.NewReader(string(m.Bytes)))
	if err != nil {
		t.Fatal(err)
	}
	if mail := text.String(); !strings.Contains(mail, "2026-11-25 05:00:00 +0900") || !strings.Contains(string(m.Bytes), "y@msp.example") {
		t.Error(mail)
	}
	got := o.Sources[0].(*cove.Client).Options
	got.Now, got.Transport, got.Notice, got.Observe = nil, nil, nil, nil
	same("cove", got, cove.Options{
		Name: "second", URL: "https://a.example/jsonapi", ReportingURL: "https://b.example/r", RecoveryURL: "https://c.example/d", NodeURL: "https://HOST/n",
		Partner: "Acme (a@acme.example)", Username: "api", Password: "geheim", PartnerID: 17,
		PageSize: 6, Rate: 7.5, Concurrency: 8, StatusMap: map[string]backup.Status{"8": backup.Failed},
	})
}

// Each setting of a delivery is in the mailbox that is made of it. Nobody could
// look into that but fmt.
func TestDeliverySettings(t *testing.T) {
	imap := &config.IMAP{
		Address: "imap.example:993", TLS: "starttls", Username: "imap-user", Password: "imap-pass", Auth: "login", Mailbox: "Cove", Create: true,
		AlsoSearch: []string{"Done", "Old"}, Connections: 5, AllowPlaintext: true,
	}
	smtp := &config.SMTP{Address: "smtp.example:587", TLS: "tls", Username: "smtp-user", Password: "smtp-pass", Auth: "login", Rate: 77, AllowPlaintext: true}
	mail := config.Mail{From: "cove@msp.example", To: []string{"x@msp.example"}}
	ofIMAP := []string{"Address:imap.example:993 TLS:starttls", "Username:imap-user", "Password:imap-pass", "Auth:login", "Mailbox:Cove", "Create:true",
		"AlsoSearch:[Done Old]", "Connections:5", "AllowPlaintext:true"}
	ofSMTP := []string{"Address:smtp.example:587 TLS:tls", "Username:smtp-user", "Password:smtp-pass", "Auth:login", "Rate:77", "AllowPlaintext:true",
		"From:cove@msp.example", "To:[x@msp.example]"}
	for _, c := range []struct {
		name               string
		delivery           config.Delivery
		parts              []string
		connections, batch int
		asks               bool
	}{
		{"imap", config.Delivery{IMAP: imap}, ofIMAP, 5, 0, false},
		{"smtp", config.Delivery{SMTP: smtp}, ofSMTP, 3, 1, false},
		{"smtp and imap", config.Delivery{SMTP: smtp, IMAP: imap}, ofSMTP, 3, 8, true},
		{"directory", config.Delivery{Directory: "some/where"}, []string{"path:some/where"}, 1, 0, false},
	} {
		box, connections, batch := openMailbox(c.delivery, mail)
		if connections != c.connections || batch != c.batch {
			t.Errorf("%s: %d connections, %d mails a batch", c.name, connections, batch)
		}
		made := fmt.Sprintf("%+v", box)
		for _, part := range c.parts {
			if !strings.Contains(made, part) {
				t.Errorf("%s: no %q in %s", c.name, part, made)
			}
		}
		if c.delivery.SMTP != nil && c.asks == strings.Contains(made, "Inbox:<nil>") {
			t.Errorf("%s: %s", c.name, made)
		}
		if strings.Contains(made, "Token:<nil>") == false && c.delivery.Directory == "" {
			t.Errorf("%s: a token without oauth2: %s", c.name, made)
		}
	}
	box, _, _ := openMailbox(config.Delivery{IMAP: imap, OAuth2: config.OAuth2{Tenant: "t", ClientID: "c", ClientSecret: "s"}}, mail)
	if made := fmt.Sprintf("%+v", box); strings.Contains(made, "Token:<nil>") {
		t.Errorf("no token with oauth2: %s", made)
	}
}

// A ledger that others can read is warned of.
func TestLedgerOpenToOthers(t *testing.T) {
	c := config.Default()
	c.Mail.From, c.Mail.To = "cove@msp.example", []string{"x@msp.example"}
	c.Delivery.Directory = t.TempDir()
	c.Ledger.SQLite = filepath.Join(t.TempDir(), "ledger.db")
	for _, open := range []bool{false, true} { // as it is made, and as it may become
		var log bytes.Buffer
		b, err := Open(t.Context(), c, slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		if warned := strings.Contains(log.String(), "open to others (mode 0644): chmod 600 "+c.Ledger.SQLite); warned != open {
			t.Errorf("open to others: %v; log: %q", open, &log)
		}
		if err := os.Chmod(c.Ledger.SQLite, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
