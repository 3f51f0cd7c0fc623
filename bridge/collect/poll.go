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
	Account         string
	Sweep           bool          // every device was read
	Devices         int64         // devices shown
	DevicesBefore   int64         // devices shown before, where they were more than twice as many; 0: they were not
	LookedAt        int64         // of them, looked at: with news, or due
	Queued          int64         // runs that are to be mailed
	Nameless        int64         // devices that nothing is mailed of, for their names can't be had
	HistoryLost     int64         // devices whose history can't be read since now
	HistoryRegained int64         // devices whose history can be read again
	Orphans         int64         // devices first seen now that had been silent for weeks: nothing is told of that
	Failed          int64         // devices that could not be worked on, and runs that could not be rendered
	Cause           error         // why, of the first of them or of those lost
	TestsErr        error         // why recovery tests could not be read; nil: they could, or are not asked for
	Duration        time.Duration //
	ClockSkew       time.Duration // by how much our own clock is behind the product's; negative: before it
}

// poll is one poll under way.
type poll struct {
	*Collector
	src         Source
	last        progress
	progress    progress
	now         time.Time // the product's clock, or the trusted one where that is later
	firstPolled time.Time // when this process polled the account first
	commits     *committer
	tests       map[string][]backup.RecoveryTest // by device, where they were asked for

	mu       sync.Mutex
	done     map[string]bool // devices looked at
	result   Polled
	position Progress
}

// Poll reads an account once: the devices that changed and those that are due,
// or, where a sweep is due or forced, all of them. shared: other bridges commit
// to the same ledger. The error tells what could not be read; the rest was.
func (c *Collector) Poll(ctx context.Context, src Source, sweep, shared bool) (Polled, error) {
	p := &poll{Collector: c, src: src, done: map[string]bool{}, result: Polled{Account: src.Name()}}
	began := c.Now()
	err := p.run(ctx, sweep, shared)
	p.result.Duration = c.Now().Sub(began)
	if err != nil {
		err = fmt.Errorf("poll %s: %w", src.Name(), errors.Join(err, ctx.Err()))
	}
	return p.result, err
}

func (p *poll) run(ctx context.Context, force, shared bool) (err error) {
	if p.last, err = p.loadProgress(ctx, p.src.Name()); err != nil {
		return err
	}
	if p.now, err = p.src.Clock(ctx); err != nil {
		if p.last.FirstPoll.IsZero() { // what ends from now on is news, whenever it can be read
			began := progress{FirstPoll: p.Now().UTC().Round(0)}
			err = errors.Join(err, p.saveProgress(ctx, p.src.Name(), began))
		}
		return err
	}
	p.result.ClockSkew = p.now.Sub(p.Now())
	p.progress = p.last
	trusted := p.progress.advance(p.Now().UTC().Round(0), p.now)
	if p.last.FirstPoll.IsZero() {
		p.progress.FirstPoll = trusted
		if err := p.saveProgress(ctx, p.src.Name(), progress{FirstPoll: trusted}); err != nil {
			return err
		}
	}
	if p.now.Before(trusted) {
		p.now = trusted
	}
	p.firstPolled = p.firstPoll(p.src.Name(), trusted)
	since, all := p.progress.changedSince(p.last)
	passed := trusted.Sub(p.last.LastSweep)
	force = force || all || passed < 0 || passed >= p.Sweep
	if err := p.roster.load(ctx, p.Journals, shared, trusted); err != nil {
		return err
	}
	p.commits = p.startCommits(ctx)
	err = p.read(ctx, since, force)
	failed := p.commits.close()
	if failed != nil || p.result.Failed > 0 && trusted.Sub(p.last.LastRead) < 24*time.Hour { // the next poll asks for the same again
		p.progress.LastRead, p.progress.LastSweep = p.last.LastRead, p.last.LastSweep
	}
	return errors.Join(err, failed, p.saveProgress(ctx, p.src.Name(), p.progress))
}

// firstPoll is when this process polled the account first.
func (c *Collector) firstPoll(account string, now time.Time) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.firstPolls[account].IsZero() {
		c.firstPolls[account] = now
	}
	return c.firstPolls[account]
}

// read looks at the devices shown, then at those that are due.
func (p *poll) read(ctx context.Context, since time.Duration, sweep bool) error {
	trusted := p.progress.Trusted
	var failed error
	complete := false
	if sweep {
		p.readTests(ctx)
		failed = p.rows(ctx, backup.Selection{})
		if p.result.Sweep = failed == nil; p.result.Sweep {
			p.progress.LastSweep, p.progress.LastRead, complete = trusted, trusted, true
			p.result.DevicesBefore = p.progress.noteDevices(p.result.Devices)
		}
	}
	// A page that fails must not keep the others' news from being found.
	if !complete && since > 0 && ctx.Err() == nil && !errors.Is(failed, backup.ErrRefused) {
		if err := p.rows(ctx, backup.Selection{Since: since}); err != nil {
			failed = errors.Join(failed, err)
		} else {
			p.progress.LastRead, complete = trusted, true
		}
	}
	if ctx.Err() != nil || !complete && p.result.Devices == 0 {
		return failed // nothing is known of what happened meanwhile, so that nothing is due
	}
	due, err := p.Journals.DueDevices(ctx, p.src.Name(), p.now, maxDue)
	if err != nil {
		return errors.Join(failed, err)
	}
	p.lookAt(ctx, due, false)
	if p.result.Sweep {
		keys, seen := p.roster.missing(p.src.Name(), trusted)
		if len(keys) <= seen { // fewer than half of them: rather the account's rights have changed
			p.lookAt(ctx, keys, true)
		}
	}
	return failed
}

// maxDue bounds how many due devices one poll looks at; the next goes on.
const maxDue = 1 << 20

// rows looks at those of the devices selected that changed.
func (p *poll) rows(ctx context.Context, sel backup.Selection) error {
	workers := errgroup.Group{}
	workers.SetLimit(p.Concurrency)
	sel.OnTotal, p.position = p.totalReporter(), Progress{}
	err := p.src.Devices(ctx, sel, func(r backup.Row) error {
		p.result.Devices++
		fingerprint := r.Fingerprint()
		// A row that tells nothing changes nothing.
		if fingerprint == 0 {
			p.countDone()
			return ctx.Err()
		}
		changed := p.roster.observe(r.Key(), p.src.Name(), fingerprint, p.progress.Trusted, p.accountRank)
		tests := p.tests[string(r.Key())]
		if !changed && !p.roster.hasNewTests(p.src.Name(), tests) {
			p.countDone()
			return ctx.Err()
		}
		s := deviceTask{key: string(r.Key()), fingerprint: fingerprint, tests: tests}
		if changed {
			snap := r.Snapshot()
			s.snap = &snap
		}
		if p.claim(s.key) {
			workers.Go(func() error { p.work(ctx, s); p.countDone(); return nil })
		}
		return ctx.Err()
	})
	_ = workers.Wait()
	return err
}

// lookAt looks at devices without their statistics.
func (p *poll) lookAt(ctx context.Context, keys []string, gone bool) {
	workers := errgroup.Group{}
	workers.SetLimit(p.Concurrency)
	for _, key := range keys {
		if ctx.Err() == nil && p.claim(key) {
			workers.Go(func() error { p.work(ctx, deviceTask{key: key, gone: gone}); return nil })
		}
	}
	_ = workers.Wait()
}

// claim tells whether the device was not looked at before in this poll.
func (p *poll) claim(key string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	was := p.done[key]
	p.done[key] = true
	return !was
}

func (p *poll) accountRank(account string) int {
	return slices.IndexFunc(p.Sources, func(s Source) bool { return s.Name() == account })
}

// fail notes a failure; only the first is told, with their number.
func (p *poll) fail(cause error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.result.Failed++
	if p.result.Cause == nil {
		p.result.Cause = cause
	}
}
