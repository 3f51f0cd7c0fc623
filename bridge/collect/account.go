package collect

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// progress is how far the reading of an account got. It is one small value in
// the ledger, written once a poll. Times are by the trusted clock but for Local and Product.
type progress struct {
	FirstPoll time.Time `json:"began,omitzero"` // the first poll, if only in vain
	LastSweep time.Time `json:"whole,omitzero"` // when all devices were last read, by a sweep
	LastRead  time.Time `json:"read,omitzero"`  // when all that had changed was last read, by a sweep or not

	Trusted     time.Time `json:"sure,omitzero"`    // as of the last poll
	SteadySince time.Time `json:"steady,omitzero"`  // since when it made no leap
	Local       time.Time `json:"local,omitzero"`   // our own clock then
	Product     time.Time `json:"product,omitzero"` // the product's clock then

	Devices    int64     `json:"shown,omitempty"` // devices that there are, as far as can be told
	FewerSince time.Time `json:"fewer,omitzero"`  // since when fewer than half of them are shown
}

// removalDelay is for how long devices must not be shown until they are taken for removed.
const removalDelay = 7 * 24 * time.Hour

// noteDevices notes how many devices a poll of all of them showed. Where that is less
// than half of those shown before, it gives their number: rather the login's
// rights have changed.
func (p *progress) noteDevices(devices int64) (previous int64) {
	if 2*devices >= p.Devices || !p.FewerSince.IsZero() && p.Trusted.Sub(p.FewerSince) >= removalDelay {
		p.Devices, p.FewerSince = devices, time.Time{}
		return 0
	}
	if p.FewerSince.IsZero() {
		p.FewerSince = p.Trusted
	}
	return p.Devices
}

const (
	// maxClockSkew is how far two clocks that are both right may be apart.
	maxClockSkew = 15 * time.Minute
	// maxUnconfirmed is how much time may have passed at most where only one clock says so.
	maxUnconfirmed = time.Hour
)

// advance gives the time that waiting is measured by, and moves it on: the earlier
// of our clock and the product's, as long as they agree. Where they don't, one
// of them is wrong, and only so much time has passed as both of them say: a
// clock that jumps mails nothing too early. At the first poll the product's is
// taken, for a service's clock is more likely right than a new machine's.
//
// What time was lost meanwhile, it makes up by a leap once the clocks agree; all
// that was noted before seems older then than it is.
func (p *progress) advance(local, product time.Time) time.Time {
	trusted, first := product, p.Trusted.IsZero()
	ours, theirs := local.Sub(p.Local), product.Sub(p.Product)
	passed := min(ours, theirs)
	if passed < 0 { // that one was put back
		passed = min(max(ours, theirs, 0), maxUnconfirmed)
	}
	switch agree := product.Sub(local).Abs() <= maxClockSkew; {
	case agree && local.Before(product):
		trusted = local
	case !agree && !first:
		trusted = p.Trusted.Add(passed)
	}
	if !first && trusted.Sub(p.Trusted.Add(passed)) > maxClockSkew {
		p.SteadySince = trusted
	}
	p.Trusted, p.Local, p.Product = trusted, local, product
	return trusted
}

// changedSince says how far back changed devices have to be asked for, given the
// progress at the last poll; all: so far that every device has to be read.
func (p *progress) changedSince(last progress) (since time.Duration, all bool) {
	if last.LastRead.IsZero() {
		return 0, true
	}
	passed := max(p.Local.Sub(last.Local), p.Product.Sub(last.Product), p.Trusted.Sub(last.LastRead))
	return passed + overlap, passed < 0 || passed > maxCatchUp
}

// readUpTo is up to when all devices of the account were read, or else when it was
// first polled: a device that is new now has no news from before.
func (p *progress) readUpTo() time.Time {
	if p.LastSweep.IsZero() {
		return p.FirstPoll
	}
	return p.LastSweep
}

func (c *Collector) loadProgress(ctx context.Context, account string) (p progress, err error) {
	text, err := c.Journals.Value(ctx, "account "+account)
	if err != nil {
		return p, err
	}
	if text == "" { // a ledger of the first edition tells it in another way
		old, err := c.Journals.Value(ctx, "sweep "+account+" 0")
		if t, ok := time.Parse(time.RFC3339, old); ok == nil {
			p.FirstPoll, p.LastSweep = t, t
		}
		return p, err
	}
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return p, fmt.Errorf("progress of account %s: %w", account, err)
	}
	return p, nil
}

func (c *Collector) saveProgress(ctx context.Context, account string, p progress) error {
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return c.Journals.SetValue(ctx, "account "+account, string(text))
}
