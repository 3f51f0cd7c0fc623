package collect

import (
	"fmt"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/message"
)

// judge names the run's job and says whether it is to be mailed.
func (p *poll) judge(run *backup.Candidate, look *backup.Look) backup.Entry {
	e := backup.Entry{Account: p.src.Name(), State: backup.EntryQueued, MessageID: message.ID(run.ID), Doubt: run.Doubt}
	job, err := p.Job.Name(run.Run)
	run.Job = job
	rule := p.Filter.excludes(run.Run)
	if len(run.Sessions) > 0 && rule == "" && run.Kind != backup.Recovery {
		rule = p.Filter.excludesSource(run.Sessions[0].Source)
	}
	switch {
	case rule == "" && err != nil:
		e.State, e.Reason = backup.EntryFailed, "job.name: "+err.Error()
	case (run.Kind == backup.Whole || run.Kind == backup.Recovery) && run.Old:
		e.State = backup.EntryBaseline
		e.Reason = "ended before " + look.Baseline.UTC().Format(time.RFC3339) + ", poll.backfill before the device was first seen"
	case rule != "":
		e.State, e.Reason = backup.EntryFiltered, rule
	}
	e.Run = run.Run
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

// Rerender makes the mail of a run that has none yet, or none any more.
func (c *Collector) Rerender(e *backup.Entry) (err error) {
	if e.Run.Job, err = c.Job.Name(e.Run); err != nil {
		return fmt.Errorf("job.name: %w", err)
	}
	return c.render(e)
}
