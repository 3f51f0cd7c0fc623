// Package collect turns what a backup product shows into rows of the outbox.
//
// A poll reads the devices that changed, or all of them, and looks at those
// whose fingerprint is not the one committed and those that are due. A look at
// a device is one step: load its journal, look, decide, read error texts and
// render, commit (step.go). Nothing else writes a device.
//
// What can fail, and what happens then:
//
//   - A page of devices can't be read: the others are, and what waits for time
//     alone goes on; the next poll makes up for it.
//   - A device's history can't be read: its statistics must do until it can.
//   - Error texts can't be read: the run waits for two polls, then goes out without.
//   - A run can't be rendered: it is recorded as failed, with its cause.
//   - The commit fails, or another bridge committed first: nothing of the step
//     stands; it is decided again, or at the next poll.
//   - The process ends at any moment: what was not committed is found again.
package collect

import (
	"context"
	"sync"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/message"
)

// Source is one account of a backup product.
type Source interface {
	// Name is the account's name in the configuration.
	Name() string
	// Clock is the product's time.
	Clock(context.Context) (time.Time, error)
	// Devices streams the devices selected. That one is missing does not mean
	// that it was removed. After an error what was given stays given.
	Devices(context.Context, backup.Selection, func(backup.Row) error) error
	// DeviceName asks for the name of a device whose statistics tell none.
	DeviceName(context.Context, backup.Device) (string, error)
	// Sessions gives a device's sessions that started at or after since, in the
	// sessions' own time, and, where until is not zero, before it. The error
	// wraps backup.ErrNoHistory where they can't be had for now.
	Sessions(ctx context.Context, d backup.Device, since, until time.Time) ([]backup.Session, error)
	// Errors fills in the error texts of the device's sessions, or why there are none.
	Errors(context.Context, backup.Device, []backup.Session) error
}

// Journals is where the devices' journals and the outbox are kept.
type Journals interface {
	Load(ctx context.Context, key string) (backup.Record, error)
	// Commit stores all steps at once, but for those whose record is not the one
	// stored any more: their indexes come back.
	Commit(ctx context.Context, steps []backup.Step) (stale []int, err error)
	Fingerprints(ctx context.Context, yield func(key, account string, fingerprint uint64)) error
	DueDevices(ctx context.Context, account string, now time.Time, limit int) ([]string, error)
	State(ctx context.Context, run string) (backup.EntryState, error)
	Resend(context.Context, backup.Entry) error
	Value(ctx context.Context, name string) (string, error)
	SetValue(ctx context.Context, name, value string) error
}

// Renderer makes a run's mail.
type Renderer interface {
	Render(backup.Run) (message.Mail, error)
}

// Options say what a Collector works with and by which rules.
type Options struct {
	Sources  []Source // in the order of the configuration: the first that sees a device owns it
	Journals Journals
	Renderer Renderer
	OnQueued func() // told when the outbox has got something to send; may be nil

	Rules       backup.Rules
	Interval    time.Duration // between the starts of two polls
	Sweep       time.Duration // between two polls that read every device
	Baseline    time.Duration // at first sight, runs that ended longer ago are not sent
	History     bool          // read session histories, not statistics alone
	Recovery    bool          // tell of recovery tests, where a source is a RecoveryTester
	Concurrency int           // devices looked at side by side, for each account
	Job         Job
	Filter      Filter
	Now         func() time.Time // our own clock; nil: time.Now
	OnProgress  func(Progress)   // told how polls go on, from several goroutines; may be nil
}

// Collector polls accounts. Its methods may be called side by side.
type Collector struct {
	Options
	roster *roster

	mu         sync.Mutex
	firstPolls map[string]time.Time // by account: when this process polled it first
}

// New gives a Collector.
func New(o Options) *Collector {
	o.Concurrency = max(o.Concurrency, 1)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.OnQueued == nil {
		o.OnQueued = func() {}
	}
	o.Rules.Retry = max(o.Sweep, o.Interval)
	o.Rules.Patience = historyPatience
	o.Rules.Separate = func(s backup.DataSource) bool { return o.Filter.excludesSource(s) != "" }
	return &Collector{Options: o, roster: newRoster(takeoverSweeps * max(o.Sweep, o.Interval)), firstPolls: map[string]time.Time{}}
}

const (
	// historyPatience is how long the history may lag behind statistics, which tell that
	// a session ended, before statistics are believed.
	historyPatience = time.Hour
	// takeoverSweeps is after how many sweeps without a sight of a device another
	// account may take it over.
	takeoverSweeps = 3
	// overlap is by how much more than needed a poll asks for changed devices:
	// what the product's time stamp means is not settled.
	overlap = time.Hour
	// maxCatchUp is the longest time that a poll of changed devices makes up for;
	// after more of it all devices are read.
	maxCatchUp = 7 * 24 * time.Hour
)
