package collect

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"covebridge/bridge/backup"
)

// deviceTask is why a device is looked at: what statistics show, or that it is due.
type deviceTask struct {
	key         string
	fingerprint uint64
	snap        *backup.Snapshot
	tests       []backup.RecoveryTest
	gone        bool // the product does not show it any more
	tries       int
	look        *backup.Look     // what was read, once it was
	texts       map[string]texts // error texts that were read, by session
}

// texts are the error texts of one session.
type texts struct {
	errors  []backup.Error
	missing string
}

// outcome is what a step came to, for the poll's sums.
type outcome struct {
	queued, nameless, lost, regained, orphan, unrendered int64
	cause                                                error
}

// work takes a device through its step and hands it to the committer.
func (p *poll) work(ctx context.Context, s deviceTask) {
	p.commits.pending.Add(1)
	d, changed, err := p.step(ctx, &s)
	switch {
	case err != nil || !changed:
		p.commits.pending.Done()
		if err == nil {
			p.count(d.outcome)
			p.roster.noteTests(d.tests, &d.Record.Journal)
		} else if ctx.Err() == nil {
			p.fail(fmt.Errorf("device %s: %w", s.key, err))
		}
		return
	case s.tries >= maxRetries:
		p.commits.pending.Done()
		p.fail(fmt.Errorf("device %s: other bridges were quicker %d times", s.key, s.tries))
		return
	}
	s.tries++
	d.retry = func() { p.work(ctx, s) }
	p.commits.steps <- d
}

// step is the one way in which anything becomes known of a device.
func (p *poll) step(ctx context.Context, s *deviceTask) (d pendingStep, changed bool, err error) {
	record, err := p.Journals.Load(ctx, s.key)
	if err != nil {
		return d, false, err
	}
	before := record
	record.Journal = record.Journal.Clone()
	j := &record.Journal
	if s.look == nil {
		if s.look, err = p.look(ctx, s, j); err != nil {
			return d, false, err
		}
	}
	j.Observe(*s.look, p.Rules)
	if j.Device.Name == "" {
		p.name(ctx, j)
	}
	entries, o, err := p.decide(ctx, s, j)
	if err != nil {
		return d, false, err
	}
	if record.Account = p.src.Name(); s.snap != nil {
		record.Fingerprint = s.fingerprint
	}
	d = pendingStep{Step: backup.Step{Key: s.key, Record: record, Due: j.Due(*s.look, p.Rules), Entries: entries}, outcome: o, tests: s.tests}
	if j.Device.Name == "" {
		d.Due, d.nameless = s.look.Trusted, 1
	}
	switch was := before.Journal; {
	case was.NoHistory == "" && j.NoHistory != "" && p.History:
		d.lost, d.cause = 1, errors.New(j.NoHistory)
	case was.NoHistory != "" && j.NoHistory == "":
		d.regained = 1
	}
	if before.Version == 0 && j.Orphan {
		d.orphan = 1
	}
	same := len(entries) == 0 && before.Version > 0 && record.Fingerprint == before.Fingerprint && record.Account == before.Account
	return d, !same || !reflect.DeepEqual(*j, before.Journal), nil
}

// look asks the product for what is new of the device. No transaction and no
// lock is held meanwhile.
func (p *poll) look(ctx context.Context, s *deviceTask, j *backup.Journal) (*backup.Look, error) {
	trusted := p.progress.Trusted
	look := &backup.Look{
		Now: p.now, Trusted: trusted, SteadySince: p.progress.SteadySince, LastRead: p.last.LastRead, Baseline: p.progress.readUpTo().Add(-p.Baseline),
		FirstPolled: p.firstPolled, Snapshot: s.snap, Tests: s.tests, Gone: s.gone, Shown: s.snap != nil || p.shows(s.key),
	}
	if p.last.LastSweep.IsZero() { // what was there at the account's first reading
		look.LastRead = time.Time{}
	}
	device := j.Device
	if s.snap != nil {
		device = device.Update(s.snap.Device)
	}
	if device.ID == "" || s.gone {
		return look, nil
	}
	reading := j.ReadFrom(s.snap, look.Baseline, trusted)
	look.Since = reading.Since
	if !reading.Needed {
		return look, nil
	}
	if !p.History {
		look.NoHistory = "poll.history is off"
		return look, nil
	}
	err := p.history(ctx, device, reading, look, j.First.IsZero())
	switch {
	case err == nil:
		look.Read = true
	case ctx.Err() != nil || errors.Is(err, backup.ErrRefused):
		return nil, err
	default:
		look.NoHistory = oneLine(err.Error())
	}
	return look, nil
}

// shows tells whether the device is among those that the product shows, and as it
// is known: one that did not change since the last sweep need not be shown again,
// but where not all that changed could be read now, it may be one that did.
func (p *poll) shows(key string) bool {
	since := p.progress.LastSweep
	if !p.progress.LastRead.Equal(p.progress.Trusted) {
		since = p.progress.Trusted
	}
	return p.roster.seenSince(key, since)
}

// history reads what is wanted of it. At first sight it reads back until no run
// is cut in two, within reason.
func (p *poll) history(ctx context.Context, d backup.Device, r backup.Reading, look *backup.Look, first bool) (err error) {
	if look.History, err = p.src.Sessions(ctx, d, r.Since, time.Time{}); err != nil {
		return err
	}
	if first && !backup.Anchored(look.History, p.Rules.Window, look.Baseline) {
		look.Since = look.Since.Add(-3 * 24 * time.Hour)
		if look.History, err = p.src.Sessions(ctx, d, look.Since, time.Time{}); err != nil {
			return err
		}
	}
	for _, start := range r.Single {
		some, err := p.src.Sessions(ctx, d, start, start.Add(time.Second))
		if err != nil {
			return err
		}
		for _, s := range some {
			if s.Start.Equal(start) {
				look.History = append(look.History, s)
			}
		}
	}
	return nil
}

// name asks for the name of a device that has none: it is not mailed before.
func (p *poll) name(ctx context.Context, j *backup.Journal) {
	if name, err := p.src.DeviceName(ctx, j.Device); err == nil {
		j.Device.Name = name
	}
}

// decide makes entries of the runs that are ready, in the order of their ends.
// One that waits for its error texts holds the later ones back.
func (p *poll) decide(ctx context.Context, s *deviceTask, j *backup.Journal) (entries []backup.Entry, o outcome, err error) {
	if j.Device.Name == "" {
		return nil, o, nil
	}
	for _, c := range j.Ready(*s.look, p.Rules) {
		c.Device = j.Device
		if !c.Old {
			j.CheckStorage(&c.Run, *s.look, p.Rules)
		}
		if c.Kind == backup.Recovery { // it shows how the backups went
			c.Device.ColourBar = nil
		}
		e := p.judge(&c, s.look)
		if e.State == backup.EntryQueued {
			missing := false
			if c.Kind != backup.Recovery {
				if missing, err = p.errorTexts(ctx, s, j, &c); err != nil {
					return nil, o, err
				}
			}
			if missing && p.History && j.Wait(c) {
				j.Reread = true
				break
			}
			j.Complete(&c.Run)
			e.Run = c.Run
			if err := p.render(&e); err != nil {
				o.unrendered++
				o.cause = fmt.Errorf("run %s could not be rendered; `covebridge resend` tries it again: %w", c.ID, err)
			} else {
				o.queued++
			}
		}
		j.Sent(c)
		entries = append(entries, e)
	}
	return entries, o, nil
}

// errorTexts fills in the error texts of the sessions that did not end clean.
// missing: some can't be had now.
func (p *poll) errorTexts(ctx context.Context, s *deviceTask, j *backup.Journal, c *backup.Candidate) (missing bool, err error) {
	c.Sessions = slices.Clone(c.Sessions)
	if s.texts == nil {
		s.texts = map[string]texts{}
	}
	id := func(x backup.Session) string { return x.Source.Key + " " + x.ID }
	var ask []backup.Session
	for _, x := range c.Sessions {
		if _, known := s.texts[id(x)]; x.Finished() && !x.Clean() && x.ID != "" && !known {
			ask = append(ask, x)
		}
	}
	if len(ask) > 0 {
		if err := p.src.Errors(ctx, c.Device, ask); err != nil {
			return false, err
		}
		for _, x := range ask {
			s.texts[id(x)] = texts{x.Errors, x.ErrorsMissing}
		}
	}
	for i := range c.Sessions {
		x := &c.Sessions[i]
		if !x.Finished() || x.Clean() {
			continue
		}
		t, known := s.texts[id(*x)]
		switch {
		case known && x.ID != "":
			x.Errors, x.ErrorsMissing = t.errors, oneLine(t.missing)
		case j.NoHistory != "":
			x.ErrorsMissing = j.NoHistory
		default:
			x.ErrorsMissing = "only the statistics tell of this session"
		}
		missing = missing || x.ErrorsMissing != ""
	}
	return missing, nil
}
