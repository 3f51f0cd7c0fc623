package collect

import (
	"context"
	"fmt"
	"sync"
	"time"

	"covebridge/bridge/backup"
)

const (
	// commitMost and commitWait bound how many steps go to disk together, and how
	// long the first of them waits for the others.
	commitMost = 64
	commitWait = 1 * time.Millisecond
	// retries is how often a step is decided again after another bridge committed first.
	retries = 5
)

// decided is a step that waits for its commit.
type decided struct {
	backup.Step
	outcome
	tests []backup.RecoveryTest
	redo  func() // decides again, from what is stored now
}

// committer brings the steps of a poll to disk, many at once.
type committer struct {
	*poll
	steps chan decided
	ended sync.WaitGroup
	open  sync.WaitGroup // steps that are decided and not committed
	err   error
}

func (p *poll) startCommits(ctx context.Context) *committer {
	c := &committer{poll: p, steps: make(chan decided)}
	c.ended.Go(func() { c.run(ctx) })
	return c
}

// end waits until everything is committed.
func (c *committer) end() error {
	c.open.Wait()
	close(c.steps)
	c.ended.Wait()
	return c.err
}

func (c *committer) run(ctx context.Context) {
	for first := range c.steps {
		batch := []decided{first}
		timer := time.NewTimer(commitWait)
	collecting:
		for len(batch) < commitMost {
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
			c.open.Done()
		}
	}
}

func (c *committer) commit(ctx context.Context, batch []decided) {
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
			c.open.Add(1)
			go func() { defer c.open.Done(); d.redo() }()
			continue
		}
		c.roster.committed(d.Key, d.Record.Account, d.Record.Fingerprint, !d.Record.Journal.Missing.IsZero(), c.progress.Sure)
		c.roster.tell(d.tests, &d.Record.Journal)
		c.count(d.outcome)
		for _, e := range d.Entries {
			queued = queued || e.State == backup.EntryQueued
		}
	}
	if queued {
		c.Queued()
	}
}

// count adds up what a step came to.
func (p *poll) count(o outcome) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := &p.sum
	t.Looked++
	t.Queued += o.queued
	t.Nameless += o.nameless
	t.Lost += o.lost
	t.Regained += o.regained
	t.Orphans += o.orphan
	t.Broken += o.unrendered
	if t.Cause == nil {
		t.Cause = o.cause
	}
}
