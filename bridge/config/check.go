package config

import (
	"fmt"
	"net/mail"
	"net/url"
	"regexp"
	"strings"
	"text/template"
	"time"
	"unicode/utf8"

	"github.com/gobwas/glob"
	"golang.org/x/net/idna"
)

// problemf tells of a value, unless something was said of it already. One that is
// not there is told of on the line of what should hold it.
func (d *decoder) problemf(path, format string, args ...any) {
	for at := path; ; {
		if d.failed[at] {
			return
		}
		if line, ok := d.line[at]; ok {
			d.addProblem(line, path, fmt.Sprintf(format, args...))
			return
		}
		cut := max(strings.LastIndexAny(at, ".["), 0)
		at = at[:cut]
	}
}

func (d *decoder) check(c *Config) {
	d.checkAccounts(c.Cove)
	d.checkPoll(&c.Poll)
	d.checkFilter(&c.Filter)
	d.checkJob(&c.Job)
	d.checkMail(&c.Mail)
	d.checkDelivery(&c.Delivery)
	d.checkLedger(&c.Ledger)
	d.checkHTTP(&c.HTTP)
	d.patterns("silence.exclude.profiles", c.Silence.Exclude.Profiles)
	d.patterns("silence.exclude.devices", c.Silence.Exclude.Devices)
	d.word("recovery", &c.Recovery, "auto", "off")
	d.word("log.level", &c.Log.Level, "debug", "info", "warn", "error")
	d.word("log.format", &c.Log.Format, "text", "json")

	for path, every := range map[string]time.Duration{"heartbeat.every": c.Heartbeat.Every, "digest.every": c.Digest.Every} {
		if every != 0 && (every < time.Hour || every > day) {
			d.problemf(path, "%s is out of range: 1h to 24h, or 0 for none", FormatDuration(every))
		}
	}
}

var accountName = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)

func (d *decoder) checkAccounts(accounts []Account) {
	if len(accounts) == 0 {
		d.problemf("cove", "missing: set at least one Cove login, with name, username and password")
	}
	for i, a := range accounts {
		path := fmt.Sprintf("cove[%d]", i)
		switch {
		case a.Name == "":
			d.problemf(path+".name", "missing: give the account a short name")
		case !accountName.MatchString(a.Name):
			d.problemf(path+".name", `letters, digits, ".", "_" and "-" are expected, not %s`, d.asWritten(path+".name"))
		}
		for j, b := range accounts[:i] {
			if a.Name != "" && a.Name == b.Name {
				d.problemf(path+".name", "cove[%d] has the same name: each account needs its own", j)
			}
			if a.Username != "" && a.URL == b.URL && a.Username == b.Username && a.PartnerID == b.PartnerID {
				d.problemf(path, "it is the same login and customer as cove[%d]: remove one", j)
			}
		}
		if a.Username == "" {
			d.problemf(path+".username", "missing: the name of Cove's API user")
		}
		if a.Password == "" {
			d.problemf(path+".password", "missing: the token of Cove's API user, or password_file: PATH")
		}
		if a.PartnerID < 0 {
			d.problemf(path+".partner_id", "0 or a customer's number is expected, not %s", d.asWritten(path+".partner_id"))
		}
		d.address(path+".url", a.URL, a.AllowPlaintext)
		d.address(path+".reporting_url", a.ReportingURL, a.AllowPlaintext)
		if a.RecoveryURL != "" {
			d.address(path+".recovery_url", a.RecoveryURL, a.AllowPlaintext)
		}
		if a.NodeURL != "" {
			d.address(path+".node_url", a.NodeURL, a.AllowPlaintext)
		}
	}
}

// address checks a URL. What holds a password is not shown.
func (d *decoder) address(path, text string, plaintext bool) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "":
		d.problemf(path, "an address such as https://host/path is expected%s", d.notShown(path))
	case u.User != nil:
		d.problemf(path, "a user name or password in the address is not supported: use username and password")
	case u.Scheme == "http" && !local(u.Hostname()) && !plaintext:
		d.problemf(path, "http:// would send the password in the clear: use https://%s", orAllow(path))
	}
}

// orAllow names the other remedy for an unencrypted connection, where there is one.
func orAllow(path string) string {
	if strings.HasPrefix(path, "cove") || strings.HasSuffix(path, ".tls") {
		return ", or set allow_plaintext: true beside it"
	}
	return ""
}

func (d *decoder) notShown(path string) string {
	if strings.Contains(d.raw[path], "@") {
		return ""
	}
	return ", not " + d.asWritten(path)
}

func (d *decoder) checkPoll(p *Poll) {
	if p.Interval < time.Second {
		d.problemf("poll.interval", "1s or more is expected, not %s", d.asWritten("poll.interval"))
	}
	d.word("poll.history", &p.History, "auto", "off")
	d.within("poll.page_size", p.PageSize, 1, 5000)
	d.within("poll.concurrency", p.Concurrency, 1, 64)
	if p.Rate <= 0 {
		d.problemf("poll.rate", "more than 0 calls per second are expected, not %s", d.asWritten("poll.rate"))
	}
}

func (d *decoder) within(path string, n, low, high int) {
	if n < low || n > high {
		d.problemf(path, "%d to %d is expected, not %s", low, high, d.asWritten(path))
	}
}

// word checks that a text is one of the words, in any case, and sets it to the
// word as written here.
func (d *decoder) word(path string, text *string, words ...string) {
	for _, w := range words {
		if strings.EqualFold(*text, w) {
			*text = w
			return
		}
	}
	d.problemf(path, "%s is expected, not %s%s", either(words), d.asWritten(path), didYouMean(d.raw[path], words))
}

var statusWords = []string{"Success", "Warning", "Failed"}

func (d *decoder) checkFilter(f *Filter) {
	d.globs("filter.customers", f.Customers)
	d.globs("filter.devices", f.Devices)
	d.globs("filter.data_sources", f.DataSources)
	for i := range f.Types {
		d.word(fmt.Sprintf("filter.types[%d]", i), &f.Types[i], "Server", "Workstation", "Microsoft 365")
	}
	for i := range f.Statuses {
		d.word(fmt.Sprintf("filter.statuses[%d]", i), &f.Statuses[i], statusWords...)
	}
}

func (d *decoder) globs(path string, g Globs) {
	for _, list := range []struct {
		name     string
		patterns []string
	}{{"include", g.Include}, {"exclude", g.Exclude}} {
		d.patterns(path+"."+list.name, list.patterns)
	}
}

func (d *decoder) patterns(path string, patterns []string) {
	for i, pattern := range patterns {
		at := fmt.Sprintf("%s[%d]", path, i)
		if pattern == "" {
			d.problemf(at, "a pattern such as Acme* is expected, not an empty text")
		} else if _, err := glob.Compile(pattern); err != nil {
			d.problemf(at, `%s is no pattern (*, ?, [abc] and {a,b} have a meaning; write \ before one that has none)`, d.asWritten(at))
		}
	}
}

func (d *decoder) checkJob(j *Job) {
	d.word("job.group_by", &j.GroupBy, "device", "data_source")
	if strings.TrimSpace(j.Name) == "" {
		d.problemf("job.name", "a template such as {{.Device.Name}} is expected, not an empty text")
	} else if _, err := template.New("job.name").Parse(j.Name); err != nil {
		d.problemf("job.name", "it can't be read as a template (%s): use {{.Device.Name}}", strings.TrimPrefix(err.Error(), "template: job.name:1: "))
	}
	d.word("job.not_in_cloud", &j.NotInCloud, statusWords...)
	d.checkStatusMap(j.StatusMap)
}

func (d *decoder) checkMail(m *Mail) {
	if m.From == "" {
		d.problemf("mail.from", "missing: the address that mails come from; Backupchecks knows them by it")
	} else {
		m.From = d.mailAddress("mail.from", m.From)
	}
	if len(m.To) == 0 {
		d.problemf("mail.to", "missing: the addresses that mails go to, such as [backups@msp.example]")
	}
	for i, to := range m.To {
		m.To[i] = d.mailAddress(fmt.Sprintf("mail.to[%d]", i), to)
	}
	switch {
	case strings.HasPrefix(m.Console, "https://") && strings.Contains(m.Console, "{id}"):
	case strings.Contains(m.Console, "/"):
		d.problemf("mail.console", "an address that begins with https:// and has {id} in it is expected, or on, or off")
	default:
		d.word("mail.console", &m.Console, "on", "off")
	}
	// Local would make the same mail differ from machine to machine.
	if _, err := time.LoadLocation(m.Timezone); err != nil || m.Timezone == "" || m.Timezone == "Local" {
		d.problemf("mail.timezone", "a time zone such as Europe/Amsterdam or UTC is expected, not %s", d.asWritten("mail.timezone"))
	}
}

// mailAddress is text as it may stand in a header and an envelope: a domain beyond
// ASCII in its ASCII form (RFC 5891).
func (d *decoder) mailAddress(path, text string) string {
	a, err := mail.ParseAddress(text)
	if err != nil {
		d.problemf(path, "a mail address such as backups@msp.example is expected, not %s", d.asWritten(path))
		return text
	}
	at := strings.LastIndexByte(a.Address, '@') + 1
	domain := a.Address[at:]
	if strings.IndexFunc(domain, func(r rune) bool { return r >= utf8.RuneSelf }) < 0 {
		return text
	}
	ascii, err := idna.Lookup.ToASCII(domain)
	if err != nil {
		d.problemf(path, "%s is no domain that can exist: correct what stands behind the @", d.asWritten(path))
		return text
	}
	a.Address = a.Address[:at] + ascii
	return a.String()
}

func (d *decoder) checkLedger(l *Ledger) {
	if l.Postgres != "" {
		u, err := url.Parse(string(l.Postgres))
		isURL := err == nil && (u.Scheme == "postgres" || u.Scheme == "postgresql")
		if !isURL && (strings.Contains(string(l.Postgres), "://") || !strings.Contains(string(l.Postgres), "=")) {
			d.problemf("ledger.postgres", "postgres://user:password@host/database or host=… dbname=… is expected")
		}
		if _, set := d.raw["ledger.sqlite"]; set && l.SQLite != "" {
			d.problemf("ledger", "sqlite and postgres are both set: keep one")
		}
		l.SQLite = ""
	} else if l.SQLite == "" {
		d.problemf("ledger", "missing: set sqlite to a file or postgres to a database")
	}
}
