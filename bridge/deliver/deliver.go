// Package deliver brings mails from the outbox into the mailbox, each once.
//
// A batch takes three steps. Mails whose earlier delivery may have succeeded
// are asked for first; those that are to be sent go out together; what became
// of all of them is recorded at once. What goes wrong is told apart by whom it
// concerns: a mailbox that is ill is left alone and counts against no mail, a
// mail that is refused while others pass waits by itself, and a ledger that
// fails stops everything until it works again.
package deliver

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/finding"
	"covebridge/bridge/mailbox"
)

// Outbox is where the mails wait. Its methods are called from several
// goroutines at once.
type Outbox interface {
	// Take leases up to n entries that are due, all of different devices, with
	// their mails. Of those with Doubt the mailbox is to be asked first.
	Take(ctx context.Context, n int) ([]backup.Entry, error)
	// Begin says on disk that these are being sent, before the first byte goes
	// out; mark tells where to look for them later. The lost ones are not ours
	// any more and may not be sent.
	Begin(ctx context.Context, ids []string, mark string) (lost []string, err error)
	// Record says what became of mails that were taken. It waits for its turn
	// to write as long as ctx lets it.
	Record(ctx context.Context, outcomes []backup.Outcome) error
	// NextDue tells how long it takes until Take gives something; some is
	// false where nothing waits.
	NextDue(ctx context.Context) (wait time.Duration, some bool, err error)
	// Renew prolongs the leases on what was taken to LeaseTime from now.
	Renew(ctx context.Context) error
	// Release gives back what was taken and not begun.
	Release(ctx context.Context) error
	// LeaseTime is how long a lease lasts that is not renewed.
	LeaseTime() time.Duration
}

// Mailbox is where the mails go.
type Mailbox interface {
	// Deliver delivers the mails in one go and gives a result for each. It
	// calls begin when it is ready to send, and sends nothing before begin has
	// returned, nor if that returned an error.
	Deliver(ctx context.Context, mails []mailbox.Mail, begin func(mark string) error) []mailbox.Result
	// Find tells for each query whether the mail is there.
	Find(ctx context.Context, queries []mailbox.Query) ([]mailbox.Found, error)
}

// Options are what a Deliverer needs.
type Options struct {
	Outbox  Outbox
	Mailbox Mailbox
	Log     *slog.Logger
	// Findings is where trouble is told of; nil: a list of its own.
	Findings *finding.List
	From     string   // sender of the envelope
	To       []string // recipients of the envelope

	Connections int // batches that are delivered side by side; 1 if less
	Batch       int // mails that are delivered together, at most; 0: 32

	// Idle is the time between two looks into an outbox in which nothing is due,
	// for others may write to it too; 0: 5 s.
	Idle time.Duration

	// OnLoop is called at each turn of Run's loop, a few seconds apart; may be nil.
	OnLoop func()
}

// Counts tell what became of mails.
type Counts struct {
	Sent    int64 // taken by the mailbox
	Found   int64 // asked for after doubt, and there already
	Resent  int64 // among Sent and Retried: sent again though nobody could be asked whether they are there
	Failed  int64 // given up: too large, content refused, or refused for a day while others passed
	Retried int64 // tried in vain, to be tried again
}

// Deliverer delivers the mails of one outbox into one mailbox. What it knows of
// the mailbox's health outlasts a Run or a Drain; only one of them may be under
// way at a time.
type Deliverer struct {
	Options
	wake     chan struct{}
	health   *health
	suspects suspects

	ledger, stuckMails, givenUpMails *finding.Condition

	mu     sync.Mutex
	counts Counts // of the Run or Drain under way
	total  Counts // of all so far
}

// New makes a Deliverer.
func New(o Options) *Deliverer {
	o.Connections = max(o.Connections, 1)
	if o.Batch < 1 {
		o.Batch = 32
	}
	o.Idle = cmp.Or(o.Idle, defaultIdle)
	if o.Findings == nil {
		o.Findings = finding.NewList(o.Log)
	}
	if o.OnLoop == nil {
		o.OnLoop = func() {}
	}
	d := &Deliverer{
		Options:      o,
		wake:         make(chan struct{}, 1),
		health:       newHealth(o.Findings),
		ledger:       o.Findings.Condition(finding.Kind{Name: "ledger_failing", Severity: finding.Failed, What: "the outbox can't be read or written"}, ""),
		stuckMails:   o.Findings.Condition(finding.Kind{Name: "mails_refused", Severity: finding.Warning, What: "mails are refused while others pass"}, ""),
		givenUpMails: o.Findings.Condition(finding.MailsGivenUp, ""),
	}
	d.stuckMails.Counts(func() int { refused, _ := d.suspects.count(); return refused })
	d.givenUpMails.Counts(func() int { _, given := d.suspects.count(); return given })
	return d
}

// Wake tells that mails were queued. It never blocks.
func (d *Deliverer) Wake() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// Run delivers until ctx ends. Nothing new is begun then; what is in flight gets
// 3 s to end, is broken off after that, and is asked for at the next start.
func (d *Deliverer) Run(ctx context.Context) Counts { return d.DrainUntil(ctx, nil) }

// Drain delivers what is due, and ends when nothing more can be done now: what
// is left waits for its next try, or for the mailbox to be well again.
func (d *Deliverer) Drain(ctx context.Context) Counts {
	done := make(chan struct{})
	close(done)
	return d.DrainUntil(ctx, done)
}

// count changes the counts.
func (d *Deliverer) count(change func(*Counts)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change(&d.counts)
	change(&d.total)
}

// Total tells what became of mails since the Deliverer was made.
func (d *Deliverer) Total() Counts {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.total
}
