// Package config reads config.yaml and gives checked settings. Unknown keys
// are refused, every problem is reported at once with its file, line and
// remedy, and secrets can't be printed by accident.
package config

import (
	"path/filepath"
	"strings"
	"time"
	_ "time/tzdata" // mail.timezone must load on machines without zone files
)

// Config is the whole of config.yaml, checked. Durations of 0 turn a feature off.
type Config struct {
	Cove      []Account `yaml:"cove"`
	Poll      Poll      `yaml:"poll"`
	Filter    Filter    `yaml:"filter"`
	Job       Job       `yaml:"job"`
	Mail      Mail      `yaml:"mail"`
	Delivery  Delivery  `yaml:"delivery"`
	Ledger    Ledger    `yaml:"ledger"`
	Silence   Silence   `yaml:"silence"`
	Recovery  string    `yaml:"recovery"` // "auto" or "off": recovery tests are not told of
	Heartbeat Heartbeat `yaml:"heartbeat"`
	Digest    Digest    `yaml:"digest"`
	HTTP      HTTP      `yaml:"http"`
	Log       Log       `yaml:"log"`

	// Warnings are sentences on what works but should not stay so.
	Warnings []string `yaml:"-"`
}

// Account is one Cove login.
type Account struct {
	Name         string `yaml:"name"` // unique; letters, digits, ".", "_" and "-"
	URL          string `yaml:"url"`
	ReportingURL string `yaml:"reporting_url"`
	RecoveryURL  string `yaml:"recovery_url"` // of recovery tests; empty: on the host of URL
	NodeURL      string `yaml:"node_url"`     // in place of https://HOST/repserv_json; for a simulator
	Partner      string `yaml:"partner"`      // the console's name, mail address included; empty: not sent
	Username     string `yaml:"username"`
	Password     Secret `yaml:"password"`   // of an API user: its token
	PartnerID    int64  `yaml:"partner_id"` // 0: the login's own customer and all below
	// AllowPlaintext permits http:// to a host that is not the local one.
	AllowPlaintext bool `yaml:"allow_plaintext"`
}

// Poll says when and how Cove is asked.
type Poll struct {
	Interval    time.Duration `yaml:"interval"`    // between polls; at least 1s
	Sweep       time.Duration `yaml:"sweep"`       // between polls of every device
	History     string        `yaml:"history"`     // "auto" or "off": statistics only
	Backfill    time.Duration `yaml:"backfill"`    // at the first start: runs that ended longer ago are not sent
	RunWindow   time.Duration `yaml:"run_window"`  // sessions this close together make one run
	MaxWait     time.Duration `yaml:"max_wait"`    // an unfinished run goes out as Warning after it
	PageSize    int           `yaml:"page_size"`   // devices a call: 1 to 5000
	Rate        float64       `yaml:"rate"`        // calls per second to each host, for each account
	Concurrency int           `yaml:"concurrency"` // calls at once and account: 1 to 64
}

// Filter says which runs are mailed. Empty means everything.
type Filter struct {
	Customers   Globs    `yaml:"customers"`
	Devices     Globs    `yaml:"devices"`
	DataSources Globs    `yaml:"data_sources"`
	Types       []string `yaml:"types"`    // Server, Workstation, Microsoft 365
	Statuses    []string `yaml:"statuses"` // Success, Warning, Failed
}

// Globs are patterns as github.com/gobwas/glob reads them; they compile.
type Globs struct {
	Include []string `yaml:"include"` // empty: all
	Exclude []string `yaml:"exclude"` // goes before Include
}

// Job says what Backupchecks sees as one job.
type Job struct {
	GroupBy    string            `yaml:"group_by"`     // "device" or "data_source"
	Name       string            `yaml:"name"`         // a text/template; its syntax is checked
	NotInCloud string            `yaml:"not_in_cloud"` // least status of a run whose copy is not in the cloud: backup.Rules
	StatusMap  map[string]string `yaml:"status_map"`   // Cove's number or word to Success, Warning or Failed
}

// Mail says what is common to all mails.
type Mail struct {
	From      string   `yaml:"from"`
	To        []string `yaml:"to"`
	Templates string   `yaml:"templates"` // folder whose files replace the built-in ones; empty: none
	Console   string   `yaml:"console"`   // "on", "off", or an address with {id} in it
	Timezone  string   `yaml:"timezone"`  // IANA name
}

// Location is the time zone that times in mails are shown in.
func (m Mail) Location() *time.Location {
	loc, err := time.LoadLocation(m.Timezone)
	if err != nil { // can't be in a Config from Load
		return time.UTC
	}
	return loc
}

// Delivery says where mails go: one of IMAP, SMTP and Directory is set, or
// SMTP with IMAP beside it, to ask it what has arrived.
type Delivery struct {
	IMAP      *IMAP  `yaml:"imap"`
	SMTP      *SMTP  `yaml:"smtp"`
	Directory string `yaml:"directory"` // folder of .eml files
	OAuth2    OAuth2 `yaml:"oauth2"`    // for auth: xoauth2
}

// IMAP is a mailbox that mails are appended to.
type IMAP struct {
	Address        string   `yaml:"address"` // host:port
	TLS            string   `yaml:"tls"`     // "tls", "starttls" or "none"
	Username       string   `yaml:"username"`
	Password       Secret   `yaml:"password"`
	Auth           string   `yaml:"auth"` // "plain", "login" or "xoauth2"
	Mailbox        string   `yaml:"mailbox"`
	Create         bool     `yaml:"create"`      // create Mailbox if it is missing
	AlsoSearch     []string `yaml:"also_search"` // folders that mails are moved to after reading
	Connections    int      `yaml:"connections"` // 1 to 32
	AllowPlaintext bool     `yaml:"allow_plaintext"`
}

// SMTP is a server that mails are sent through.
type SMTP struct {
	Address        string `yaml:"address"`  // host:port
	TLS            string `yaml:"tls"`      // "tls", "starttls" or "none"
	Username       string `yaml:"username"` // empty: no authentication
	Password       Secret `yaml:"password"`
	Auth           string `yaml:"auth"` // "plain", "login" or "xoauth2"
	Rate           int    `yaml:"rate"` // mails per minute; 0: no limit but the one known of the host
	AllowPlaintext bool   `yaml:"allow_plaintext"`
}

// OAuth2 is an application's login by the client-credentials flow.
type OAuth2 struct {
	Tenant       string   `yaml:"tenant"`
	ClientID     string   `yaml:"client_id"`
	ClientSecret Secret   `yaml:"client_secret"`
	TokenURL     string   `yaml:"token_url"` // empty: Entra ID's, of the tenant
	Scopes       []string `yaml:"scopes"`    // empty: Exchange Online's
}

// Ledger says which database is used: exactly one is set.
type Ledger struct {
	SQLite   string `yaml:"sqlite"`   // file
	Postgres Secret `yaml:"postgres"` // connection string; it can hold a password
}

// Silence is how long a device may go without a finished session, by type.
type Silence struct {
	Server      time.Duration  `yaml:"server"`
	Workstation time.Duration  `yaml:"workstation"`
	M365        time.Duration  `yaml:"m365"`
	Exclude     SilenceExclude `yaml:"exclude"`
}

// SilenceExclude says which devices may be silent; patterns as in Globs.
type SilenceExclude struct {
	Profiles []string `yaml:"profiles"`
	Devices  []string `yaml:"devices"`
}

// Heartbeat is a mail that tells how covebridge itself is.
type Heartbeat struct {
	Every time.Duration `yaml:"every"` // 0: none
}

// Digest is a mail for each customer with what needs attention.
type Digest struct {
	Every time.Duration `yaml:"every"` // 0: none
}

// HTTP is where the status page, metrics and health are served.
type HTTP struct {
	Listen string `yaml:"listen"` // host:port; empty: nowhere
	Token  Secret `yaml:"token"`  // asked of each visitor; set unless Listen is this machine alone
}

// Log says what is logged, and how.
type Log struct {
	Level  string `yaml:"level"`  // "debug", "info", "warn" or "error"
	Format string `yaml:"format"` // "text" or "json"
}

// Default gives the settings of an empty configuration. It is no valid
// configuration: accounts, addresses and a delivery have no defaults.
func Default() *Config {
	return &Config{
		Poll: Poll{
			Interval: 15 * time.Minute, Sweep: time.Hour, History: "auto", Backfill: 24 * time.Hour,
			RunWindow: 10 * time.Minute, MaxWait: 24 * time.Hour, PageSize: 250, Rate: 4, Concurrency: 4,
		},
		Job:      Job{GroupBy: "device", Name: "{{.Device.Name}}", NotInCloud: "Success"},
		Mail:     Mail{Console: "on", Timezone: "Europe/Amsterdam"},
		Ledger:   Ledger{SQLite: "covebridge.db"},
		Recovery: "auto", Heartbeat: Heartbeat{Every: day},
		Silence: Silence{Server: 48 * time.Hour, M365: 48 * time.Hour},
		HTTP:    HTTP{Listen: "127.0.0.1:8642"},
		Log:     Log{Level: "info", Format: "text"},
	}
}

// defaulter is what has defaults of its own, wherever it is written.
type defaulter interface{ setDefaults() }

func (a *Account) setDefaults() {
	a.URL = "https://api.backup.management/jsonapi"
	a.ReportingURL = "https://api.backup.management/reporting_api"
}

func (i *IMAP) setDefaults() {
	i.TLS, i.Auth, i.Mailbox, i.Create, i.Connections = "tls", "plain", "INBOX", true, 2
}

func (s *SMTP) setDefaults() { s.TLS, s.Auth = "starttls", "plain" }

// resolve makes relative paths start at the configuration's folder, so that
// the same file is meant whatever the working directory is.
func (c *Config) resolve(dir string) {
	for _, p := range []*string{&c.Mail.Templates, &c.Delivery.Directory, &c.Ledger.SQLite} {
		if *p != "" && *p != ":memory:" && !strings.HasPrefix(*p, "file:") && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
}
