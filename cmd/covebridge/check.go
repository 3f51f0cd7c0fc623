package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"covebridge/bridge"
	"covebridge/bridge/config"
	"covebridge/bridge/mailbox"
)

func newCheck(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "check",
		Short: "Try settings, logins, mailbox and templates; send nothing",
		Long: `Try the settings, the ledger, each Cove login with its devices and histories, the
mailbox and the templates, and tell of each whether it passed, and if not, why and
what to do. Nothing is sent. Each step takes 20 seconds at most.

The exit status is 1 if anything failed; a warning is no failure.`,
		Example: `  covebridge check -c /etc/covebridge/config.yaml`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.settings(config.Load)
			if err != nil {
				return err
			}
			return a.check(cmd.Context(), c)
		},
	}
	a.jsonFlag(c)
	return c
}

// check tries the configuration and what it names, and tells of each.
func (a *app) check(ctx context.Context, c *config.Config) error {
	path, _ := a.config()
	r := newCheckReport(a, c)
	r.found("settings", mailbox.Finding{What: path + " is complete"})
	for _, w := range append(c.Warnings, c.Suspicious()...) {
		r.found("settings", mailbox.Finding{What: w, Warning: true})
	}
	return r.end(ctx, a.checkNamed(ctx, c, r))
}

// checkNamed tries what the configuration names; the error is of what kept it
// from that.
func (a *app) checkNamed(ctx context.Context, c *config.Config, r *checkReport) error {
	r.begin("opening the ledger")
	opening, cancel := context.WithTimeout(ctx, mailbox.CheckTime)
	defer cancel()
	b, err := bridge.Open(opening, c, a.newLogger(c.Log))
	if err != nil {
		if opening.Err() != nil && ctx.Err() == nil {
			err = fmt.Errorf("no answer within %s: %w", mailbox.CheckTime, err)
		}
		r.found("start", mailbox.Finding{What: "read the templates, open the ledger", Err: err})
		return reportedError{err}
	}
	defer b.Close()
	r.found("templates", mailbox.Finding{What: "all can be read and make a mail"})
	b.Check(ctx, bridge.CheckReport{Begin: r.begin, Found: r.found})
	return nil
}

// checkReport shows what a check finds, each thing as it comes, but for JSON.
type checkReport struct {
	a      *app
	all    *grid // for JSON
	area   int   // width
	failed bool
	err    error  // of writing
	waited func() // ends the wait that is shown; nil: nothing is waited for
}

func newCheckReport(a *app, c *config.Config) *checkReport {
	r := &checkReport{a: a, all: a.table("", "What", "Result"), area: len("templates")}
	for _, account := range c.Cove {
		r.area = max(r.area, min(len("cove ")+len(account.Name), 24))
	}
	return r
}

// begin says what is being waited for, if that takes long.
func (r *checkReport) begin(what string) {
	r.stop()
	r.waited = r.a.spinner(what)
}

func (r *checkReport) stop() {
	if r.waited != nil {
		r.waited()
		r.waited = nil
	}
}

func (r *checkReport) found(area string, f mailbox.Finding) {
	r.stop()
	mark, colour, result := "passed", text.FgGreen, f.What
	switch {
	case f.Err != nil:
		mark, colour, r.failed = "FAILED", text.FgRed, true
		result = fmt.Sprintf("%s: %v", f.What, f.Err)
	case f.Warning:
		mark, colour = "warning", text.FgYellow
	}
	if f.Hint != "" {
		result += "\n→ " + f.Hint
	}
	if r.a.json {
		r.all.row(mark, area, result)
		return
	}
	screen := r.a.screen()
	head := fmt.Sprintf("%-7s  %-*s  ", mark, r.area, oneLine(area))
	indent := strings.Repeat(" ", text.StringWidthWithoutEscSequences(head))
	if result = printable(result); screen.width > len(indent)+minNameWidth {
		result = text.WrapSoft(result, screen.width-len(indent))
	}
	if screen.colour {
		head = colour.EscapeSeq() + mark + text.Reset.EscapeSeq() + head[len(mark):]
	}
	_, err := fmt.Fprintln(r.a.out, head+strings.ReplaceAll(result, "\n", "\n"+indent))
	r.err = cmp.Or(r.err, err)
}

// end gives what the check came to.
func (r *checkReport) end(ctx context.Context, err error) error {
	r.stop()
	if r.a.json {
		r.err = r.all.write()
	}
	switch {
	case ctx.Err() != nil:
		return errors.New("the check was broken off")
	case r.err != nil:
		return errors.Join(r.err, err)
	case err == nil && r.failed:
		return errReported
	}
	return err
}
