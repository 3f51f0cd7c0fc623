package main

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"covebridge/bridge/backup"
	"covebridge/bridge/finding"
	"covebridge/bridge/status"
)

func newStatus(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "status",
		Short: "Tell how covebridge is: polls, what waits, what is wrong",
		Long: `Tell how covebridge is: accounts and their polls, what waits to be delivered,
today's runs, how late mails come, and what is wrong, since when, why and what
helps. It reads the ledger alone, beside a running covebridge too.

The exit status is 1 if a finding is of the severity Failed.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, done, err := a.ledger(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			s, err := status.Read(cmd.Context(), l, time.Now(), a.zone())
			if err != nil {
				return err
			}
			if a.json {
				err = a.printJSON(s)
			} else {
				_, err = fmt.Fprint(a.out, a.statusText(s))
			}
			if err == nil && len(s.Findings) > 0 && s.Findings[0].Severity == finding.Failed {
				return errReported
			}
			return err
		},
	}
	a.jsonFlag(c)
	return c
}

// statusText is the status for people: what is wrong first.
func (a *app) statusText(s status.Status) string {
	var b strings.Builder
	screen := a.screen()
	if screen.width == 0 {
		screen.width = 80
	}
	for _, f := range s.Findings {
		head := fmt.Sprintf("%s: %s", f.Severity, f.What)
		if f.Subject != "" {
			head = fmt.Sprintf("%s: %s: %s", f.Severity, f.Subject, f.What)
		}
		b.WriteString(text.WrapSoft(oneLine(head), screen.width) + "\n")
		b.WriteString(screen.indented(oneLine(fmt.Sprintf("since %s: %s", a.clock(f.Since), f.Why))) + "\n")
		if f.Remedy != "" {
			b.WriteString(screen.indented("→ "+oneLine(f.Remedy)) + "\n")
		}
	}
	if len(s.Findings) == 0 {
		b.WriteString("All is well.\n")
	}
	b.WriteString("\n")
	if len(s.Accounts) > 0 {
		t := a.table("Account", "Last poll", "Next poll", "Devices").clip("Account")
		for _, acc := range s.Accounts {
			t.row(acc.Name, acc.LastPoll, acc.NextPoll, acc.Devices)
			if acc.Error != "" {
				t.note("last went well " + a.clock(acc.LastGood))
			}
		}
		b.WriteString(t.text(screen) + "\n")
	}
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-8s %s\n", name, oneLine(fmt.Sprintf(format, args...)))
	}
	waiting := plural(s.Backlog.Mails, "mail", "mails")
	if s.Backlog.Mails > 0 {
		waiting += ", the oldest for " + status.Span(s.At.Sub(s.Backlog.Oldest))
	}
	line("Waiting", "%s", waiting)
	line("Today", "%d Success, %d Warning, %d Failed", s.Today[backup.Success], s.Today[backup.Warning], s.Today[backup.Failed])
	if s.Lag.Runs > 0 {
		line("Lag", "median %s, worst %s from backup's end to mail, within a day", status.Span(s.Lag.Median), status.Span(s.Lag.Worst))
	}
	for _, br := range s.Bridges {
		if br.Alive(s.At) {
			line("Bridge", "%s, %s, since %s", br.Name, cmp.Or(br.Version, "unknown version"), a.clock(br.Started))
		}
	}
	return b.String()
}
