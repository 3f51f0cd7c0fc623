package bridge

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/collect"
	"covebridge/bridge/config"
	"covebridge/bridge/cove"
	"covebridge/bridge/deliver"
	"covebridge/bridge/ledger"
	"covebridge/bridge/mailbox"
	"covebridge/bridge/message"
	"covebridge/bridge/web"
)

// Open makes a Bridge from the configuration: it opens the ledger and reads the
// templates, but asks neither Cove nor the mailbox anything. Close it.
//
// around, if given, puts something around the mailbox, as one that looks on.
func Open(ctx context.Context, c *config.Config, log *slog.Logger, around ...func(Mailbox) Mailbox) (*Bridge, error) {
	o, err := options(c, log)
	if err != nil {
		return nil, err
	}
	o.Ledger, err = ledger.Open(ctx, ledger.Options{SQLite: c.Ledger.SQLite, Postgres: string(c.Ledger.Postgres)})
	if err != nil {
		return nil, err
	}
	o.Log, o.HTTP = log, c.HTTP
	o.Name, o.Location = processName(), c.Mail.Location()
	o.Heartbeat, o.Digest = c.Heartbeat.Every, c.Digest.Every
	if c.Ledger.SQLite != "" && c.Ledger.SQLite != ":memory:" {
		o.Disks = append(o.Disks, filepath.Dir(c.Ledger.SQLite))
	}
	if c.Delivery.Directory != "" {
		o.Disks = append(o.Disks, c.Delivery.Directory)
	}
	for _, f := range around {
		o.Mailbox = f(o.Mailbox)
	}
	if info, err := os.Stat(c.Ledger.SQLite); err == nil && info.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows" {
		log.Warn(fmt.Sprintf("the ledger holds customers' names and mails and is open to others (mode %04o): chmod 600 %s", info.Mode().Perm(), c.Ledger.SQLite))
	}
	return New(o), nil
}

// Endpoints gives the accounts and the mailbox that the configuration names, for who
// only tries them. Close the mailbox.
func Endpoints(c *config.Config, log *slog.Logger) ([]Source, Mailbox, error) {
	o, err := options(c, log)
	return o.Sources, o.Mailbox, err
}

// options are those that follow from the configuration; all but the ledger.
func options(c *config.Config, log *slog.Logger) (o Options, err error) {
	o.Interval, o.Metrics = c.Poll.Interval, web.NewMetrics()
	o.Deliver = deliver.Options{From: c.Mail.From, To: c.Mail.To}
	notInCloud, err := backup.ParseStatus(c.Job.NotInCloud)
	if err != nil {
		return o, fmt.Errorf("job.not_in_cloud: %w", err)
	}
	o.Collect = collect.Options{
		Rules: backup.Rules{
			Window: c.Poll.RunWindow, BySource: c.Job.GroupBy == "data_source", MaxWait: c.Poll.MaxWait,
			Silence:     map[string]time.Duration{backup.Server: c.Silence.Server, backup.Workstation: c.Silence.Workstation, backup.Microsoft365: c.Silence.M365},
			MayBeSilent: collect.MayBeSilent(c.Silence.Exclude.Profiles, c.Silence.Exclude.Devices), NotInCloud: notInCloud,
		},
		Sweep: c.Poll.Sweep, Baseline: c.Poll.Backfill, History: c.Poll.History != "off", Recovery: c.Recovery != "off", Concurrency: c.Poll.Concurrency,
	}
	if o.Collect.Job, err = collect.NewJob(c.Job.Name); err != nil {
		return o, err
	}
	if o.Collect.Filter, err = filter(c.Filter); err != nil {
		return o, err
	}
	if o.Collect.Renderer, err = NewRenderer(c); err != nil {
		return o, err
	}
	statuses := map[string]backup.Status{}
	for word, status := range c.Job.StatusMap {
		if statuses[word], err = backup.ParseStatus(status); err != nil {
			return o, fmt.Errorf("job.status_map: %w", err)
		}
	}
	for _, a := range c.Cove {
		o.Sources = append(o.Sources, cove.New(cove.Options{
			Name: a.Name, URL: a.URL, ReportingURL: a.ReportingURL, RecoveryURL: a.RecoveryURL, NodeURL: a.NodeURL,
			Partner: a.Partner, Username: a.Username, Password: string(a.Password), PartnerID: a.PartnerID,
			PageSize: c.Poll.PageSize, Rate: c.Poll.Rate, Concurrency: c.Poll.Concurrency, StatusMap: statuses,
			Notice: log.Warn, Observe: o.Metrics.Call,
		}))
	}
	o.Mailbox, o.Deliver.Connections, o.Deliver.Batch = openMailbox(c.Delivery, c.Mail)
	return o, nil
}

// NewRenderer makes what the mails are made by, as configured. A template that
// can't be used is a *message.TemplateError.
func NewRenderer(c *config.Config) (*message.Renderer, error) {
	return message.New(message.Options{From: c.Mail.From, To: c.Mail.To, Templates: c.Mail.Templates, Console: c.Mail.Console, Location: c.Mail.Location()})
}

func filter(c config.Filter) (f collect.Filter, err error) {
	globs := func(g config.Globs) collect.Globs { return collect.Globs(g) }
	f = collect.Filter{Customers: globs(c.Customers), Devices: globs(c.Devices), DataSources: globs(c.DataSources), Types: c.Types}
	for _, word := range c.Statuses {
		s, err := backup.ParseStatus(word)
		if err != nil {
			return f, fmt.Errorf("filter.statuses: %w", err)
		}
		f.Statuses = append(f.Statuses, s)
	}
	return f, nil
}

// smtpConnections is as many as Exchange Online allows (Exchange Online limits).
const smtpConnections = 3

// openMailbox gives the mailbox that the configuration names, on how many
// connections mails may be on their way to it, and how many on one (0: the usual).
func openMailbox(c config.Delivery, m config.Mail) (box Mailbox, connections, batch int) {
	var token mailbox.TokenSource
	if c.OAuth2.ClientID != "" {
		token = mailbox.NewClientCredentials(mailbox.OAuth2Options{
			Tenant: c.OAuth2.Tenant, ClientID: c.OAuth2.ClientID, ClientSecret: string(c.OAuth2.ClientSecret),
			TokenURL: c.OAuth2.TokenURL, Scopes: c.OAuth2.Scopes,
		})
	}
	var imap *mailbox.IMAP
	if i := c.IMAP; i != nil {
		imap = mailbox.NewIMAP(mailbox.IMAPOptions{
			Address: i.Address, TLS: i.TLS, Username: i.Username, Password: string(i.Password), Auth: i.Auth, Token: token,
			Mailbox: i.Mailbox, Create: i.Create, AlsoSearch: i.AlsoSearch, Connections: i.Connections, AllowPlaintext: i.AllowPlaintext,
		})
	}
	switch {
	case c.SMTP != nil:
		s := c.SMTP
		smtp := mailbox.NewSMTP(mailbox.SMTPOptions{
			Address: s.Address, TLS: s.TLS, Username: s.Username, Password: string(s.Password), Auth: s.Auth, Token: token,
			Rate: int(s.Rate), AllowPlaintext: s.AllowPlaintext, Inbox: imap, From: m.From, To: m.To,
		})
		if imap == nil { // what is in flight when it breaks can't be asked for
			return smtp, smtpConnections, 1
		}
		return smtp, smtpConnections, 8
	case imap != nil:
		return imap, c.IMAP.Connections, 0
	default:
		return mailbox.NewDirectory(c.Directory), 1, 0
	}
}
