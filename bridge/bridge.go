// Package bridge drives the way from a backup product to the mailbox: it polls
// each account, records sessions, groups them into runs, has each finished run
// rendered, and delivers the mails, each once.
//
// What can fail, and what happens then:
//
//   - An account can't be polled: it is tried again at the next poll; others go on.
//     A refused login stays refused until the configuration changes.
//   - A device's data can't be used: that device is reported and tried again.
//   - A run can't be rendered: it is recorded as failed with its cause, and can be resent.
//   - The mailbox can't be reached: mails wait in the ledger, in order.
//   - The mailbox refuses one mail for good: it is recorded as failed; the others go on.
//   - The outcome of a delivery is unknown: the mailbox is asked before it is sent again.
//   - The process ends at any moment: all of this follows from the ledger at the next start.
package bridge

import (
	"context"
	"hash/maphash"
	"log/slog"
	"sync"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/ledger"
	"covebridge/bridge/mailbox"
	"covebridge/bridge/message"
)

// Source is one account of a backup product.
type Source interface {
	// Name is the account's name in the configuration.
	Name() string
	// Clock is the product's time.
	Clock(context.Context) (time.Time, error)
	// Devices gives the present state of the devices selected.
	Devices(context.Context, backup.Selection, func(backup.Snapshot) error) error
	// Sessions gives a device's sessions that started at or after since, and,
	// where until is not zero, before it. The error wraps backup.ErrNoHistory
	// where they can't be had for now.
	Sessions(ctx context.Context, d backup.Device, since, until time.Time) ([]backup.Session, error)
	// Errors gives the error texts of a session.
	Errors(context.Context, backup.Device, backup.Session) ([]backup.Error, error)
	// Check tells in a sentence whom the account is logged in as.
	Check(context.Context) (string, error)
}

// Mailbox is where the mails go.
type Mailbox interface {
	// Deliver calls begin once, before the first byte that may make a delivery.
	Deliver(ctx context.Context, m mailbox.Mail, begin func(mark string) error) (receipt string, err error)
	// Find asks whether a mail is there, wherever its reader may have moved it.
	Find(ctx context.Context, messageID, mark string, since time.Time) (receipt string, found bool, err error)
	Check(context.Context) ([]mailbox.Finding, error)
	Close() error
}

// Options say what a Bridge works with and by which rules.
type Options struct {
	Sources  []Source // in the order of the configuration: the first that sees a device owns it
	Ledger   *ledger.Ledger
	Mailbox  Mailbox
	Renderer *message.Renderer
	Log      *slog.Logger

	From        string   // envelope sender
	To          []string // envelope recipients
	Connections int      // mails delivered side by side

	Rules       backup.Rules
	Interval    time.Duration            // between the starts of two polls
	Sweep       time.Duration            // between two polls that read every device
	Baseline    time.Duration            // on a device's first sight, runs that ended longer ago are not sent
	MaxWait     time.Duration            // after which an unfinished run is told of; 0: never
	History     bool                     // read session histories, not statistics alone
	Part        int64                    // devices of a sweep that one bridge reads at a time, where several share a ledger; 0: 5000
	Concurrency int                      // devices worked on side by side, for each account
	Silence     map[string]time.Duration // by device type; 0: off
	Job         Job
	Filter      Filter
}

// Bridge polls and delivers. Its methods may be called side by side.
type Bridge struct {
	Options
	devices [64]sync.Mutex // by the key's hash: a device is worked on by one at a time
	seed    maphash.Seed
	wake    chan struct{} // something was queued
}

// New gives a Bridge.
func New(o Options) *Bridge {
	o.Concurrency, o.Connections = max(o.Concurrency, 1), max(o.Connections, 1)
	if o.Part <= 0 {
		o.Part = 5000
	}
	return &Bridge{Options: o, seed: maphash.MakeSeed(), wake: make(chan struct{}, 1)}
}
