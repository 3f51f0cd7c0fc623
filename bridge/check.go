package bridge

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/collect"
	"covebridge/bridge/mailbox"
	"covebridge/bridge/message"
)

// CheckReport hears how a check goes.
type CheckReport struct {
	Begin func(what string)                        // told what may now take up to mailbox.CheckTime
	Found func(area string, found mailbox.Finding) // told of each thing as soon as it is known
}

// Check tries everything that a bridge needs, and changes nothing: the disks,
// the ledger, each account's login, devices and histories, the mailbox. Each
// step takes mailbox.CheckTime at most. Where ctx ends, it ends without a word.
func (b *Bridge) Check(ctx context.Context, report CheckReport) {
	c := check{b, ctx, report}
	c.templates()
	c.disks()
	c.step("ledger", "read the ledger", func(ctx context.Context) (string, error) {
		counts, err := b.Ledger.Counts(ctx)
		total := 0
		for _, n := range counts {
			total += n
		}
		return fmt.Sprintf("%s: %d runs", b.Ledger, total), err
	})
	survey := collect.NewSurvey(b.Options.Collect)
	for _, src := range b.Sources {
		c.account(src, survey)
	}
	for _, j := range survey.Shared {
		c.found("settings", mailbox.Finding{
			What: "job.name",
			Err:  fmt.Errorf("it gives the devices %q and %q one job, %q", j.Device, j.Other, j.Job),
			Hint: "use {{.Device.Name}} in it: no two devices share that, and it never changes",
		})
	}
	c.report.Begin("asking the mailbox")
	b.Mailbox.Check(ctx, func(f mailbox.Finding) {
		c.found("mailbox", f)
		c.report.Begin("asking the mailbox")
	})
}

// check is one run of Check.
type check struct {
	b      *Bridge
	ctx    context.Context
	report CheckReport
}

func (c check) found(area string, f mailbox.Finding) {
	if c.ctx.Err() == nil {
		c.report.Found(area, f)
	}
}

// withTimeout does what may take mailbox.CheckTime.
func (c check) withTimeout(what string, do func(context.Context) error) error {
	if c.ctx.Err() != nil {
		return c.ctx.Err()
	}
	c.report.Begin(what)
	ctx, cancel := context.WithTimeout(c.ctx, mailbox.CheckTime)
	defer cancel()
	err := do(ctx)
	if err != nil && ctx.Err() != nil && c.ctx.Err() == nil {
		return fmt.Errorf("no answer within %s: %w", mailbox.CheckTime, err)
	}
	return err
}

// step tells what came of something, in a sentence.
func (c check) step(area, doing string, do func(context.Context) (string, error)) (ok bool) {
	var found string
	err := c.withTimeout(area+": "+doing, func(ctx context.Context) (err error) {
		found, err = do(ctx)
		return err
	})
	if err != nil {
		found = doing
	}
	c.found(area, mailbox.Finding{What: found, Err: err})
	return err == nil
}

// templates looks whether the parser rule reads the mails that they make.
func (c check) templates() {
	usual, bare := c.b.unreadable()
	switch {
	case c.b.Options.Collect.Renderer == nil: // as in simulations
	case usual != nil:
		c.found("templates", mailbox.Finding{What: "the parser rule can't read the mails that they make", Err: usual, Hint: readableHint})
	case bare != nil:
		c.found("templates", mailbox.Finding{What: "the parser rule can't read the mail of a device without a customer: " + bare.Error(), Hint: readableHint, Warning: true})
	default:
		c.found("templates", mailbox.Finding{What: "the parser rule reads the mails that they make"})
	}
}

const readableHint = "keep the subject's beginning and all lines of .Head and .Objects as they are in the built-in templates"

// unreadable tells why the parser rule could not read mails, as
// message.Renderer.Unreadable.
func (b *Bridge) unreadable() (usual, bare error) {
	if r, ok := b.Options.Collect.Renderer.(*message.Renderer); ok {
		return r.Unreadable()
	}
	return nil, nil
}

// warnUnreadable tells of mails that will stay in the inbox.
func (b *Bridge) warnUnreadable() {
	if usual, bare := b.unreadable(); usual != nil || bare != nil {
		b.Log.Warn("Backupchecks' parser rule can't read some mails that the templates make", "why", cmp.Or(usual, bare), "remedy", readableHint)
	}
}

// disks looks whether there is room for what comes.
func (c check) disks() {
	for _, folder := range c.b.Disks {
		bytes, err := c.b.Free(folder)
		if err != nil {
			continue // what is written there will say so
		}
		f := mailbox.Finding{What: fmt.Sprintf("%d MB are free in %s", bytes/megabyte, folder)}
		if bytes < warnFree {
			f.Hint = "free some space"
			f.Warning = true
		}
		if bytes < minFree {
			f.Err = errors.New("the disk is full")
		}
		c.found("disk", f)
	}
}

// account tries a Cove account's login, and what it shows.
func (c check) account(src Source, survey *collect.Survey) {
	area := "cove " + src.Name()
	if !c.step(area, "log in and read a device", src.Check) {
		return
	}
	var seen *collect.AccountSurvey
	err := c.withTimeout(area+": read the devices", func(ctx context.Context) (err error) {
		seen, err = survey.Add(ctx, src)
		return err
	})
	part := ""
	if errors.Is(err, context.DeadlineExceeded) && seen.Devices > 0 { // there are many
		err, part = nil, " of those read in this time"
	}
	switch {
	case err != nil:
		c.found(area, mailbox.Finding{What: "read the devices", Err: err})
	case seen.Devices == 0:
		c.found(area, mailbox.Finding{What: "the devices", Err: errors.New("none is shown"), Hint: remedyNoDevices})
	case seen.Passed == 0:
		c.found(area, mailbox.Finding{
			What: fmt.Sprintf("the filters let none of %d devices%s through", seen.Devices, part),
			Err:  errors.New("no run will be mailed: " + stoppedBy(seen.Stopped)),
			Hint: "change or remove " + strings.Join(slices.Sorted(maps.Keys(seen.Stopped)), " and "),
		})
	case len(seen.Stopped) == 0:
		c.found(area, mailbox.Finding{What: fmt.Sprintf("the filters let all %d devices%s through", seen.Devices, part)})
	default:
		c.found(area, mailbox.Finding{What: fmt.Sprintf("the filters let %d of %d devices%s through: %s", seen.Passed, seen.Devices, part, stoppedBy(seen.Stopped))})
	}
	if seen == nil || !c.b.Options.Collect.History {
		return
	}
	for _, d := range seen.Samples {
		c.history(area, src, d)
	}
}

// stoppedBy tells how many devices each setting stops.
func stoppedBy(stopped map[string]int) string {
	var parts []string
	for _, setting := range slices.Sorted(maps.Keys(stopped)) {
		parts = append(parts, fmt.Sprintf("%s stops %d", setting, stopped[setting]))
	}
	return strings.Join(parts, ", ")
}

// history reads one device's sessions where its kind of device has them.
func (c check) history(area string, src Source, d backup.Device) {
	at, remedy := "its storage node", "let this machine reach the storage nodes by https"
	if d.Type == backup.Microsoft365 {
		at, remedy = "the reporting API", "let this machine reach reporting_url"
	}
	what := fmt.Sprintf("history of %s at %s", d.Name, at)
	var sessions []backup.Session
	err := c.withTimeout(area+": read the "+what, func(ctx context.Context) (err error) {
		sessions, err = src.Sessions(ctx, d, time.Now().AddDate(0, 0, -2), time.Time{})
		return err
	})
	f := mailbox.Finding{What: fmt.Sprintf("%s: %d sessions in the last 2 days", what, len(sessions)), Err: err}
	if err != nil {
		f.What = what
		f.Hint = remedy + "; until then only the last session of each data source is mailed, without error texts"
	}
	c.found(area, f)
}
