// Package bridge makes a running whole of a configuration: collect, which turns
// what a backup product shows into rows of the outbox, and deliver, which turns
// rows of the outbox into mails in the mailbox. Both meet in the ledger and
// nowhere else: each can stop, crash, be slow or run twice without the other
// noticing.
package bridge

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"covebridge/bridge/collect"
	"covebridge/bridge/config"
	"covebridge/bridge/deliver"
	"covebridge/bridge/finding"
	"covebridge/bridge/ledger"
	"covebridge/bridge/mailbox"
	"covebridge/bridge/status"
	"covebridge/bridge/web"
)

// Source is one account of a backup product, as collect and Check need it.
type Source interface {
	collect.Source
	// Check tells in a sentence whom the account is logged in as.
	Check(context.Context) (string, error)
}

// Mailbox is where the mails go, as deliver and Check need it.
type Mailbox interface {
	deliver.Mailbox
	Check(ctx context.Context, report func(mailbox.Finding))
	Close() error
}

// Options say what a Bridge works with.
type Options struct {
	Sources  []Source // in the order of the configuration
	Ledger   *ledger.Ledger
	Mailbox  Mailbox
	Log      *slog.Logger
	Interval time.Duration // between the starts of two polls
	Collect  collect.Options
	Deliver  deliver.Options
	Findings *finding.List // nil: made from Log
	Metrics  *web.Metrics  // nil: made

	// Name is by what others know this process: "backup1:4711". Empty: it tells
	// nothing of itself, and looks after nothing but its work.
	Name    string
	Version string
	// Heartbeat is the time between two mails that tell how the bridge itself is,
	// at most a day, counted from midnight in Location; 0: there are none.
	Heartbeat time.Duration
	// Digest is the time between two mails to each customer with jobs that need
	// attention, as Heartbeat; 0: there are none.
	Digest   time.Duration
	OnPolled func()                                        // told when Run or Once has polled every account; may be nil
	OnStatus func(status.Status)                           // told how things stand, about once a minute; may be nil
	HTTP     config.HTTP                                   // where Run serves the status page, if anywhere
	Location *time.Location                                // where days begin; nil: UTC
	Disks    []string                                      // folders that are written to
	Now      func() time.Time                              // nil: time.Now
	Free     func(folder string) (bytes uint64, err error) // nil: as the system says
}

// Bridge polls and delivers. Its methods may be called side by side.
type Bridge struct {
	Options
	collector    *collect.Collector
	deliverer    *deliver.Deliverer
	self         *self
	page         page                     // nil: there is none
	pollRequests map[string]chan struct{} // asks for a poll of an account at once
}

// New gives a Bridge. What the two halves need of each other is filled in, and
// of the ledger, where they were not given it in another shape.
func New(o Options) *Bridge {
	if o.Findings == nil {
		o.Findings = finding.NewList(o.Log)
	}
	if o.Location == nil {
		o.Location = time.UTC
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Free == nil {
		o.Free = free
	}
	if o.Metrics == nil {
		o.Metrics = web.NewMetrics()
	}
	b := &Bridge{Options: o, self: newSelf(o), pollRequests: map[string]chan struct{}{}}
	if o.Deliver.Outbox == nil {
		o.Deliver.Outbox = Outbox{o.Ledger}
	}
	o.Deliver.Mailbox, o.Deliver.Log, o.Deliver.Findings = o.Mailbox, o.Log, o.Findings
	o.Deliver.OnLoop = func() { b.self.watchdog.expect(delivery, deliverTimeout) }
	b.deliverer = deliver.New(o.Deliver)
	if o.Collect.Journals == nil {
		o.Collect.Journals = o.Ledger
	}
	o.Collect.Journals = countingJournals{o.Collect.Journals, o.Metrics}
	o.Collect.Interval, o.Collect.OnQueued = o.Interval, b.deliverer.Wake
	for _, s := range o.Sources {
		o.Collect.Sources = append(o.Collect.Sources, s)
		b.pollRequests[s.Name()] = make(chan struct{})
	}
	b.collector = collect.New(o.Collect)
	if o.HTTP.Listen != "" {
		b.page = b.newPage()
	}
	return b
}

// Outbox is the ledger's, as deliver needs it.
type Outbox struct{ *ledger.Ledger }

// Renew fails where another bridge took a mail over: what is in flight then has
// to be broken off.
func (o Outbox) Renew(ctx context.Context) error {
	lost, err := o.Ledger.Renew(ctx)
	if err == nil && len(lost) > 0 {
		err = fmt.Errorf("another bridge took over %d mails", len(lost))
	}
	return err
}

// Close ends idle connections and closes the ledger.
func (b *Bridge) Close() error {
	err := b.Ledger.Close()
	if b.Mailbox != nil {
		_ = b.Mailbox.Close() // what was delivered is recorded
	}
	return err
}
