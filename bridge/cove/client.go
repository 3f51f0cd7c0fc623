// Package cove reads Cove Data Protection through its JSON-RPC interface:
// devices and their last sessions from statistics, whole session histories
// from the storage nodes and the reporting service, and error texts.
//
// What Cove answers is data from outside. Every decoder here takes any bytes
// and fails with an error at worst, and no error holds a password, a visa or
// a device's token.
//
// What a failure means:
//
//   - A refused login (2100) is final for the client, errors.Is ErrRefused:
//     another try would lock the user out.
//   - A visa that Cove takes no more is renewed, and the call repeated once.
//   - Too busy (429), 5xx, broken or cut-off replies and network failures are
//     tried again a few times, with growing waits or as Retry-After says.
//   - A reply that stalls is given up, and so is one that is longer than what
//     was asked for can take.
//   - A column that this user may not see is found, left out and remembered.
//   - A device's history that can't be read is ErrNoHistory; its statistics can be.
package cove

import (
	"context"
	"net/http"
	"net/url"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"

	"covebridge/bridge/backup"
)

// Where Cove answers.
const (
	DefaultURL          = "https://api.backup.management/jsonapi"
	DefaultReportingURL = "https://api.backup.management/reporting_api"
	// recoveryPath is on the host of URL.
	recoveryPath = "/draas/actual-statistics/v1/dashboard/"
)

// Product is the short name that devices of Cove carry, and Software the long one.
const (
	Product  = "cove"
	Software = "Cove Data Protection"
)

// Options say how to reach one Cove account, and with which login.
type Options struct {
	Name         string // the account's name in the configuration
	URL          string // default DefaultURL
	ReportingURL string // default DefaultReportingURL
	RecoveryURL  string // of recovery tests; default: on the host of URL
	// NodeURL takes the place of https://HOST/repserv_json; the word HOST in
	// it becomes the node's name.
	NodeURL string

	Partner   string // customer of the login; optional, must equal the console's name, mail address included
	Username  string
	Password  string // an API user's password is its token
	PartnerID int64  // customer whose devices are read, with all below; 0: the login's own

	PageSize    int     // devices in one call; default 250
	Rate        float64 // calls a second to each host; default 4
	Concurrency int     // calls at once, to all hosts together; default 4

	// StatusMap gives sessions another status than the rule does, by Cove's
	// number ("8") or word ("CompletedWithErrors", in any case). Of two keys for
	// one status the number counts.
	StatusMap map[string]backup.Status

	Now       func() time.Time              // default time.Now
	Transport http.RoundTripper             // default: TLS, and proxies from the environment
	Notice    func(msg string, args ...any) // hears what an administrator should know, each thing once; as slog's
	// Observe is told of each try of a call, and what it came to: "ok", "error"
	// (Cove answered so), "throttled" (429), "broken" (no answer that can be
	// read) or "unreachable". What the caller broke off is not told of.
	Observe func(host, method, outcome string)
}

// Client reads one Cove account. Its methods may be called side by side.
type Client struct {
	Options
	http       *http.Client
	hostLimits hostLimits
	slots      *semaphore.Weighted

	statuses       statusMap
	visas          visas
	secrets        secrets
	columns        columnSet
	customers      customers
	accounts       accountCache
	downNodes      downNodes
	barOrientation barOrientation
	deviceSources  deviceSources
	estimated      sync.Map // device and session → time of a session that Cove gives none
	noticed        sync.Map // what Notice was given already
}

// New gives a client. It does not touch the network.
func New(o Options) *Client {
	if o.URL == "" {
		o.URL = DefaultURL
	}
	if o.ReportingURL == "" {
		o.ReportingURL = DefaultReportingURL
	}
	if u, err := url.Parse(o.URL); err == nil && o.RecoveryURL == "" {
		o.RecoveryURL = u.ResolveReference(&url.URL{Path: recoveryPath}).String()
	}
	if o.PageSize <= 0 {
		o.PageSize = 250
	}
	if o.Rate <= 0 {
		o.Rate = 4
	}
	if o.Concurrency <= 0 {
		o.Concurrency = 4
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Transport == nil {
		o.Transport = newTransport(o.Concurrency)
	}
	if o.Notice == nil {
		o.Notice = func(string, ...any) {}
	}
	if o.Observe == nil {
		o.Observe = func(string, string, string) {}
	}
	c := &Client{
		Options:    o,
		statuses:   newStatusMap(o.StatusMap),
		http:       &http.Client{Transport: stallTransport{o.Transport}, CheckRedirect: sameHost},
		hostLimits: hostLimits{rate: rate.Limit(o.Rate)},
		slots:      semaphore.NewWeighted(int64(o.Concurrency)),
	}
	c.visas.loggingIn = semaphore.NewWeighted(1)
	c.columns.searching = semaphore.NewWeighted(1)
	c.customers.lock = semaphore.NewWeighted(1)
	c.secrets.add(o.Password)
	return c
}

// Name is the account's name in the configuration.
func (c *Client) Name() string { return c.Options.Name }

// Clock is Cove's time, by the Date of a small reply and so exact to a second
// or two, and never ahead of it.
func (c *Client) Clock(ctx context.Context) (time.Time, error) {
	var p page
	err := c.page(ctx, pageQuery{columns: []string{"I0"}, count: 1}, &p)
	return p.at, c.advise(err)
}

// noticeOnce gives a notice, the first time that key comes up.
func (c *Client) noticeOnce(key, msg string, args ...any) {
	if _, again := c.noticed.LoadOrStore(key, true); !again {
		c.Notice(msg, append([]any{"account", c.Options.Name}, args...)...)
	}
}
