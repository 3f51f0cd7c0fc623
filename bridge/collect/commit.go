package collect

import (
	"context"
	"fmt"
	"sync"
	"time"

	"covebridge/bridge/backup"
)

const (
	// maxBatch and batchWait bound how many steps go to disk together, and how
	// long the first of them waits for the others.
	maxBatch  = 64
	batchWait = 1 * time.Millisecond
	// maxRetries is how often a step is decided again after another bridge committed first.
	maxRetries = 5
)

// pendingStep is a step that waits for its commit.
type pendingStep struct {
	backup.Step
	outcome
	tests []backup.RecoveryTest
	retry func() // decides again, from what is stored now
}

// committer brings the steps of a poll to disk, many at once.
type committer struct {
	*poll
	steps    chan pendingStep
	finished sync.WaitGroup
	pending  sync.WaitGroup // steps that are decided and not committed
	err      error
}

func (p *poll) startCommits(ctx context.Context) *committer {
	c := &committer{poll: p, steps: make(chan pendingStep)}
	c.finished.Go(func() { c.run(ctx) })
	return c
}

// close waits until everything is committed.
func (c *committer) close() error {
	c.pending.Wait()
	close(c.steps)
	c.finished.Wait()
	return c.err
}

func (c *committer) run(ctx context.Context) {
	for first := range c.steps {
		batch := []pendingStep{first}
		timer := time.NewTimer(batchWait)
	collecting:
		for len(batch) < maxBatch {
			select {
			case d, ok := <-c.steps:
				if !ok {
					break collecting
				}
				batch = append(batch, d)
			case <-timer.C:
				break collecting
			}
		}
		timer.Stop()
		c.commit(ctx, batch)
		for range batch {
			c.pending.Done()
		}
	}
}

func (c *committer) commit(ctx context.Context, batch []pendingStep) {
	steps := make([]backup.Step, len(batch))
	for i, d := range batch {
		steps[i] = d.Step
	}
	stale, err := c.Journals.Commit(ctx, steps)
	if err != nil {
		if c.err == nil { // one failure, one line
			c.err = fmt.Errorf("record %d devices: %w", len(steps), err)
		}
		return
	}
	again := map[int]bool{}
	for _, i := range stale {
		again[i] = true
	}
	queued := false
	for i, d := range batch {
		if again[i] {
			c.pending.Add(1)
			go func() { defer c.pending.Done(); d.retry() }()
			continue
		}
		c.roster.committed(d.Key, d.Record.Account, d.Record.Fingerprint, !d.Record.Journal.MissingSince.IsZero(), c.progress.Trusted)
		c.roster.noteTests(d.tests, &d.Record.Journal)
		c.count(d.outcome)
		for _, e := range d.Entries {
			queued = queued || e.State == backup.EntryQueued
		}
	}
	if queued {
		c.OnQueued()
	}
}

// count adds up what a step came to.
func (p *poll) count(o outcome) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := &p.result
	t.LookedAt++
	t.Queued += o.queued
	t.Nameless += o.nameless
	t.HistoryLost += o.lost
	t.HistoryRegained += o.regained
	t.Orphans += o.orphan
	t.Failed += o.unrendered
	if t.Cause == nil {
		t.Cause = o.cause
	}
}
