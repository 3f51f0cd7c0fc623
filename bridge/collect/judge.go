package collect

import (
	"fmt"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/message"
)

// judge names the run's job and says whether it is to be mailed.
func (c *Collector) judge(run *backup.Candidate, look *backup.Look) backup.Entry {
	e := c.entry(&run.Run)
	e.Doubt = run.Doubt
	if run.Kind == backup.Whole && run.Old && e.State != backup.EntryFailed {
		e.State = backup.EntryBaseline
		e.Reason = "ended before " + look.Baseline.UTC().Format(time.RFC3339) + ", poll.backfill before the device was first seen"
	}
	return e
}

// entry begins a run's entry, as far as names and filters decide about it.
func (c *Collector) entry(run *backup.Run) backup.Entry {
	e := backup.Entry{State: backup.EntryQueued, MessageID: message.ID(run.ID)}
	job, err := c.Job.Name(*run)
	if err != nil {
		e.State, e.Reason = backup.EntryFailed, "job.name: "+err.Error()
	}
	run.Job = job
	rule := c.Filter.stops(*run)
	if len(run.Sessions) > 0 && rule == "" {
		rule = c.Filter.source(run.Sessions[0].Source)
	}
	if rule != "" {
		e.State, e.Reason = backup.EntryFiltered, rule
	}
	e.Run = *run
	return e
}

// render makes the entry's mail. A run that can't be rendered is kept as
// failed, with its cause.
func (c *Collector) render(e *backup.Entry) error {
	m, err := c.Renderer.Render(e.Run)
	if err != nil {
		e.State, e.Reason, e.Mail = backup.EntryFailed, "the mail could not be made: "+err.Error(), nil
		return err
	}
	e.Mail = m.Bytes
	return nil
}

// Reopen makes the mail of a run that has none yet, or none any more.
func (c *Collector) Reopen(e *backup.Entry) (err error) {
	if e.Run.Job, err = c.Job.Name(e.Run); err != nil {
		return fmt.Errorf("job.name: %w", err)
	}
	return c.render(e)
}
