package collect

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"covebridge/bridge/backup"
)

// Polled is what one poll of an account came to.
type Polled struct {
	Account  string
	Sweep    bool          // every device was read
	Devices  int64         // devices shown
	Before   int64         // devices shown before, where they were more than twice as many; 0: they were not
	Looked   int64         // of them, looked at: with news, or due
	Queued   int64         // runs that are to be mailed
	Nameless int64         // devices that nothing is mailed of, for their names can't be had
	Lost     int64         // devices whose history can't be read since now
	Regained int64         // devices whose history can be read again
	Orphans  int64         // devices first seen now that had been silent for weeks: nothing is told of that
	Broken   int64         // devices that could not be worked on, and runs that could not be rendered
	Cause    error         // why, of the first of them or of those lost
	Untested error         // why recovery tests could not be read; nil: they could, or are not asked for
	Duration time.Duration //
	Clocks   time.Duration // by how much our own clock is behind the product's; negative: before it
}

// poll is one poll under way.
type poll struct {
	*Collector
	src      Source
	last     progress
	progress progress
	now      time.Time // the product's clock, or the sure one where that is later
	opened   time.Time // when this process polled the account first
	commits  *committer
	tests    map[string][]backup.RecoveryTest // by device, where they were asked for

	mu    sync.Mutex
	done  map[string]bool // devices looked at
	sum   Polled
	shown Progress
}

// Poll reads an account once: the devices that changed and those that are due,
// or, where a sweep is due or forced, all of them. shared: other bridges commit
// to the same ledger. The error tells what could not be read; the rest was.
func (c *Collector) Poll(ctx context.Context, src Source, sweep, shared bool) (Polled, error) {
	p := &poll{Collector: c, src: src, done: map[string]bool{}, sum: Polled{Account: src.Name()}}
	began := c.Now()
	err := p.run(ctx, sweep, shared)
	p.sum.Duration = c.Now().Sub(began)
	if err != nil {
		err = fmt.Errorf("poll %s: %w", src.Name(), errors.Join(err, ctx.Err()))
	}
	return p.sum, err
}

func (p *poll) run(ctx context.Context, force, shared bool) (err error) {
	if p.last, err = p.loadProgress(ctx, p.src.Name()); err != nil {
		return err
	}
	if p.now, err = p.src.Clock(ctx); err != nil {
		if p.last.Began.IsZero() { // what ends from now on is news, whenever it can be read
			began := progress{Began: p.Now().UTC().Round(0)}
			err = errors.Join(err, p.saveProgress(ctx, p.src.Name(), began))
		}
		return err
	}
	p.sum.Clocks = p.now.Sub(p.Now())
	p.progress = p.last
	sure := p.progress.tick(p.Now().UTC().Round(0), p.now)
	if p.last.Began.IsZero() {
		p.progress.Began = sure
		if err := p.saveProgress(ctx, p.src.Name(), progress{Began: sure}); err != nil {
			return err
		}
	}
	if p.now.Before(sure) {
		p.now = sure
	}
	p.opened = p.firstPoll(p.src.Name(), sure)
	since, all := p.progress.changes(p.last)
	passed := sure.Sub(p.last.Whole)
	force = force || all || passed < 0 || passed >= p.Sweep
	if err := p.roster.load(ctx, p.Journals, shared && force, sure); err != nil {
		return err
	}
	p.commits = p.startCommits(ctx)
	err = p.read(ctx, since, force)
	failed := p.commits.end()
	if failed != nil || p.sum.Broken > 0 && sure.Sub(p.last.Read) < 24*time.Hour { // the next poll asks for the same again
		p.progress.Read, p.progress.Whole = p.last.Read, p.last.Whole
	}
	return errors.Join(err, failed, p.saveProgress(ctx, p.src.Name(), p.progress))
}

// firstPoll is when this process polled the account first.
func (c *Collector) firstPoll(account string, now time.Time) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.first[account].IsZero() {
		c.first[account] = now
	}
	return c.first[account]
}

// read looks at the devices shown, then at those that are due.
func (p *poll) read(ctx context.Context, since time.Duration, sweep bool) error {
	sure := p.progress.Sure
	var broken error
	whole := false
	if sweep {
		p.readTests(ctx)
		broken = p.rows(ctx, backup.Selection{})
		if p.sum.Sweep = broken == nil; p.sum.Sweep {
			p.progress.Whole, p.progress.Read, whole = sure, sure, true
			p.sum.Before = p.progress.shows(p.sum.Devices)
		}
	}
	// A page that fails must not keep the others' news from being found.
	if !whole && since > 0 && ctx.Err() == nil && !errors.Is(broken, backup.ErrRefused) {
		if err := p.rows(ctx, backup.Selection{Since: since}); err != nil {
			broken = errors.Join(broken, err)
		} else {
			p.progress.Read, whole = sure, true
		}
	}
	if ctx.Err() != nil || !whole && p.sum.Devices == 0 {
		return broken // nothing is known of what happened meanwhile, so that nothing is due
	}
	due, err := p.Journals.DueDevices(ctx, p.src.Name(), p.now, maxDue)
	if err != nil {
		return errors.Join(broken, err)
	}
	p.each(ctx, due, false)
	if p.sum.Sweep {
		keys, seen := p.roster.missing(p.src.Name(), sure)
		if len(keys) <= seen { // fewer than half of them: rather the account's rights have changed
			p.each(ctx, keys, true)
		}
	}
	return broken
}

// maxDue bounds how many due devices one poll looks at; the next goes on.
const maxDue = 1 << 20

// rows looks at those of the devices selected that changed.
func (p *poll) rows(ctx context.Context, sel backup.Selection) error {
	workers := errgroup.Group{}
	workers.SetLimit(p.Concurrency)
	sel.Told, p.shown = p.watch(), Progress{}
	err := p.src.Devices(ctx, sel, func(r backup.Row) error {
		p.sum.Devices++
		fingerprint := r.Fingerprint()
		// A row that tells nothing changes nothing.
		if fingerprint == 0 {
			p.sighted()
			return ctx.Err()
		}
		changed := p.roster.sight(r.Key(), p.src.Name(), fingerprint, p.progress.Sure, p.rank)
		tests := p.tests[string(r.Key())]
		if !changed && !p.roster.untold(p.src.Name(), tests) {
			p.sighted()
			return ctx.Err()
		}
		s := sight{key: string(r.Key()), fingerprint: fingerprint, tests: tests}
		if changed {
			snap := r.Snapshot()
			s.snap = &snap
		}
		if p.first(s.key) {
			workers.Go(func() error { p.work(ctx, s); p.sighted(); return nil })
		}
		return ctx.Err()
	})
	_ = workers.Wait()
	return err
}

// each looks at devices without their statistics.
func (p *poll) each(ctx context.Context, keys []string, gone bool) {
	workers := errgroup.Group{}
	workers.SetLimit(p.Concurrency)
	for _, key := range keys {
		if ctx.Err() == nil && p.first(key) {
			workers.Go(func() error { p.work(ctx, sight{key: key, gone: gone}); return nil })
		}
	}
	_ = workers.Wait()
}

// first tells whether the device was not looked at before in this poll.
func (p *poll) first(key string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	was := p.done[key]
	p.done[key] = true
	return !was
}

func (p *poll) rank(account string) int {
	return slices.IndexFunc(p.Sources, func(s Source) bool { return s.Name() == account })
}

// broke notes a failure; only the first is told, with their number.
func (p *poll) broke(cause error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sum.Broken++
	if p.sum.Cause == nil {
		p.sum.Cause = cause
	}
}
