package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func parse(t *testing.T, text string, env Env) *Config {
	t.Helper()
	c, err := Parse("config.yaml", []byte(text), env)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestValuesAreRead(t *testing.T) {
	c := parse(t, `
cove:
  - &first {name: a, username: 007, password: "${WORD}$$x$y", partner_id: 12, url: 'http://127.0.0.1:8080/jsonapi'}
  - {name: b, username: u, password_file: cove, node_url: 'http://sim:1/', allow_plaintext: true}
poll: {interval: "${EVERY}", sweep: 1.5d, rate: 0.5, history: OFF, max_wait: 0, backfill: ~}
filter: {customers: {include: ["Acme*", "{a,b}"]}, types: [microsoft 365], statuses: [failed]}
job: {group_by: data_source, name: "{{$x := .Device.Name}}{{$x}}", status_map: {8: failed, NoSelection: Success}}
mail: {from: Cove <cove@msp.example>, to: [a@b.example, c@d.example], templates: templates, timezone: UTC}
delivery:
  imap: {address: "[::1]:143", tls: NONE, username: u, password_file: imap, create: false, also_search: [Done]}
  smtp: {address: "localhost:25", tls: none}
ledger: {sqlite: /var/lib/covebridge/ledger.db}
silence: {workstation: 2d12h}
heartbeat: {every: 0}
http: {listen: OFF, token: }
`, environment("WORD", "a: [b", "EVERY", "90s"))

	want := Default()
	first := Account{Name: "a", Username: "007", Password: "a: [b$x$y", PartnerID: 12}
	second := Account{Name: "b", Username: "u", Password: "from-the-folder", NodeURL: "http://sim:1/", AllowPlaintext: true}
	first.setDefaults()
	second.setDefaults()
	first.URL = "http://127.0.0.1:8080/jsonapi"
	want.Cove = []Account{first, second}
	want.Poll.Interval, want.Poll.Sweep, want.Poll.Rate = 90*time.Second, 36*time.Hour, 0.5
	want.Poll.History, want.Poll.MaxWait = "off", 0
	want.Filter.Customers.Include = []string{"Acme*", "{a,b}"}
	want.Filter.Types, want.Filter.Statuses = []string{"Microsoft 365"}, []string{"Failed"}
	want.Job = Job{GroupBy: "data_source", NotInCloud: "Success", Name: "{{$x := .Device.Name}}{{$x}}",
		StatusMap: map[string]string{"8": "Failed", "NoSelection": "Success"}}
	want.Mail = Mail{From: "Cove <cove@msp.example>", To: []string{"a@b.example", "c@d.example"},
		Templates: "/etc/covebridge/templates", Console: "on", Timezone: "UTC"}
	want.Delivery.IMAP = &IMAP{Address: "[::1]:143", TLS: "none", Username: "u", Password: "imap-secret",
		Auth: "plain", Mailbox: "INBOX", AlsoSearch: []string{"Done"}, Connections: 2}
	want.Delivery.SMTP = &SMTP{Address: "localhost:25", TLS: "none", Auth: "plain"}
	want.Ledger.SQLite = "/var/lib/covebridge/ledger.db"
	want.Silence.Workstation, want.Heartbeat.Every = 60*time.Hour, 0
	want.HTTP.Listen = ""
	if diff := cmp.Diff(want, c, cmp.Comparer(secretsEqual)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got, want := c.Secrets(), []string{"a: [b$x$y", "from-the-folder", "imap-secret"}; !slices.Equal(got, want) {
		t.Errorf("secrets: %q, want %q", got, want)
	}
	if c.Mail.Location() != time.UTC {
		t.Errorf("location: %v", c.Mail.Location())
	}
}

// One login may read several customers, each as an account of its own.
func TestOneLoginForSeveralCustomers(t *testing.T) {
	const account = "{name: msp, username: u, password: p}"
	c := parse(t, change(t, account, "{name: a, username: u, password: p, partner_id: 1}, {name: b, username: u, password: p, partner_id: 2}"), environment())
	if len(c.Cove) != 2 {
		t.Errorf("got %+v", c.Cove)
	}
}

func TestCredentialsOfSystemdComeFirst(t *testing.T) {
	env := environment("CREDENTIALS_DIRECTORY", "/run/credentials")
	c := parse(t, change(t, "password: p", "password_file: cove"), env)
	if got := string(c.Cove[0].Password); got != "from-systemd" {
		t.Errorf("password: %q", got)
	}
	c = parse(t, change(t, "password: p", "password_file: imap"), env)
	if got := string(c.Cove[0].Password); got != "imap-secret" {
		t.Errorf("a file that is no credential is looked for in the folder: %q", got)
	}
	_, err := Parse("config.yaml", []byte(change(t, "password: p", "password_file: nowhere")), env)
	want := "config.yaml:1: cove[0].password_file: there is no file /run/credentials/nowhere, nor /etc/covebridge/nowhere"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestPathsStartInTheFolder(t *testing.T) {
	c := parse(t, good, environment())
	if c.Ledger.SQLite != "/etc/covebridge/covebridge.db" || c.Delivery.Directory != "/etc/covebridge/mails" || c.Mail.Templates != "" {
		t.Errorf("ledger %q, directory %q, templates %q", c.Ledger.SQLite, c.Delivery.Directory, c.Mail.Templates)
	}
	c = parse(t, good+"ledger: {sqlite: ':memory:'}\n", environment())
	if c.Ledger.SQLite != ":memory:" {
		t.Errorf("ledger %q", c.Ledger.SQLite)
	}
}

func TestUnusedOAuth2IsWarnedOf(t *testing.T) {
	c := parse(t, change(t, "directory: mails", "directory: mails, oauth2: {tenant: t, client_id: id}"), environment())
	if want := []string{"delivery.oauth2 is set but not used: set auth: xoauth2 in imap or smtp"}; !slices.Equal(c.Warnings, want) {
		t.Errorf("warnings: %q", c.Warnings)
	}
}

// What goes no further than this machine, or may go in the clear, needs no TLS.
func TestPlaintext(t *testing.T) {
	for host, ok := range map[string]bool{
		"localhost": true, "LOCALHOST.": true, "mail.localhost": true, "127.9.9.9": true, "[::1]": true, "[::ffff:127.0.0.1]": true,
		"notlocalhost": false, "localhost.example": false, "127.0.0.1.example": false, "10.0.0.1": false, "0.0.0.0": false, "[::]": false,
	} {
		for _, allowed := range []bool{false, true} {
			text := change(t, "directory: mails", fmt.Sprintf("imap: {address: '%s:143', tls: none, username: u, password: p, allow_plaintext: %v}", host, allowed))
			text = strings.Replace(text, "name: msp", fmt.Sprintf("name: msp, url: 'http://%s/', allow_plaintext: %v", host, allowed), 1)
			_, err := Parse("config.yaml", []byte(text), environment())
			var problems *Error
			if errors.As(err, &problems) != (!ok && !allowed) || problems != nil && len(problems.Problems) != 2 {
				t.Errorf("%s, allow_plaintext %v: %v", host, allowed, err)
			}
		}
	}
}

func TestExchangeOnline(t *testing.T) {
	c := parse(t, change(t, "directory: mails", `imap: {address: "outlook.office365.com:993", username: backups@msp.example, auth: XOAUTH2},
  oauth2: {tenant: msp.example, client_id: id, client_secret_file: imap}`), environment())
	if c.Delivery.IMAP.Auth != "xoauth2" || string(c.Delivery.OAuth2.ClientSecret) != "imap-secret" || len(c.Warnings) > 0 {
		t.Errorf("auth %q, secret %q, warnings %q", c.Delivery.IMAP.Auth, string(c.Delivery.OAuth2.ClientSecret), c.Warnings)
	}
}

func TestPeekNeedsNoSecrets(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "config.yaml")
	for _, test := range []struct{ name, old, new, want string }{
		{"variable", "password: p", `password: "${COVEBRIDGE_TEST_UNSET}"`, ""},
		{"file", "password: p", "password_file: nowhere", ""},
		{"login", "directory: mails", `imap: {address: "h:1", username: "${COVEBRIDGE_TEST_UNSET}", auth: xoauth2},
  oauth2: {tenant: t, client_id: id, client_secret_file: nowhere}`, ""},
		{"ledger", "log: {", `ledger: {postgres: "${COVEBRIDGE_TEST_UNSET}"}` + "\nlog: {",
			":4: ledger.postgres: environment variable COVEBRIDGE_TEST_UNSET is not set"},
		{"sender", "from: cove@msp.example", `from: "${COVEBRIDGE_TEST_UNSET}"`,
			":2: mail.from: environment variable COVEBRIDGE_TEST_UNSET is not set"},
		{"other mistakes", "level: info", "level: loud", `:4: log.level: debug, info, warn or error is expected, not "loud"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			if err := os.WriteFile(path, []byte(change(t, test.old, test.new)), 0o600); err != nil {
				t.Fatal(err)
			}
			c, err := Peek(path)
			if test.want != "" {
				if err == nil || err.Error() != path+test.want {
					t.Errorf("got %v, want %s", err, path+test.want)
				}
				return
			}
			if err != nil || c.Ledger.SQLite != filepath.Join(dir, "covebridge.db") || c.Mail.From != "cove@msp.example" {
				t.Errorf("got %+v, %v", c, err)
			}
			if _, err := Load(path); err == nil {
				t.Error("Load needs no secrets either")
			}
		})
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "config.yaml")
	write := func(name, content string, mode fs.FileMode) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	warnings := func() []string {
		t.Helper()
		c, err := Load(path)
		if err != nil {
			t.Fatal(err)
		}
		if want := filepath.Join(dir, "covebridge.db"); c.Ledger.SQLite != want {
			t.Errorf("ledger %q, want %q", c.Ledger.SQLite, want)
		}
		return c.Warnings
	}

	_, err := Load(path)
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "covebridge init writes one") {
		t.Errorf("missing: %v", err)
	}
	if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), "it is a folder, a file is expected") {
		t.Errorf("folder: %v", err)
	}

	write("config.yaml", good, 0o600)
	if got := warnings(); len(got) != 0 {
		t.Errorf("closed file: %q", got)
	}
	write("config.yaml", good, 0o640)
	if got := warnings(); len(got) > 0 {
		t.Errorf("readable by its group: %v", got)
	}
	write("config.yaml", good, 0o660)
	if got, want := warnings(), path+" holds secrets and is open to others (mode 0660): chmod g-w,o= "+path; !slices.Equal(got, []string{want}) {
		t.Errorf("open file: %q, want %q", got, want)
	}
	t.Setenv("COVE_PASSWORD", "x")
	write("config.yaml", change(t, "password: p", `password: "${COVE_PASSWORD}"`), 0o644)
	if got := warnings(); len(got) != 0 {
		t.Errorf("open file without secrets: %q", got)
	}
	write("config.yaml", change(t, "password: p", "password_file: cove"), 0o644)
	write("cove", "secret\n", 0o604)
	secret := filepath.Join(dir, "cove")
	if got, want := warnings(), secret+" holds a secret and is open to others (mode 0604): chmod g-w,o= "+secret; !slices.Equal(got, []string{want}) {
		t.Errorf("open secret: %q, want %q", got, want)
	}

	write("config.yaml", "cove: []\n", 0o600)
	var problems *Error
	if _, err := Load(path); !errors.As(err, &problems) || problems.Problems[0].File != path || problems.Problems[0].Line != 1 {
		t.Errorf("bad file: %v", err)
	}
	write("config.yaml", strings.Repeat("#", maxFile+1), 0o600)
	if _, err := Load(path); err == nil || !strings.Contains(err.Error(), "longer than 1 MiB") {
		t.Errorf("huge file: %v", err)
	}
}

// A domain beyond ASCII is written as it may stand in a header; the rest of an
// address as it was typed.
func TestASCIIDomains(t *testing.T) {
	for typed, want := range map[string]string{
		"a@bücher.de":         "<a@xn--bcher-kva.de>",
		"Cove <a@BÜCHER.de>":  `"Cove" <a@xn--bcher-kva.de>`,
		"jörg@bücher.de":      "<jörg@xn--bcher-kva.de>",
		"jörg@msp.test":       "jörg@msp.test",
		"Cove <a@msp_x.test>": "Cove <a@msp_x.test>",
	} {
		c, err := Parse("config.yaml", []byte(change(t, "from: cove@msp.example", "from: "+typed)), environment())
		if err != nil || c.Mail.From != want {
			t.Errorf("%s: %v, %v; want %s", typed, c, err, want)
		}
	}
}
