package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"covebridge/bridge/backup"
	"covebridge/bridge/ledger"
)

// states are those that a mail can be in.
var states = []string{string(backup.EntryQueued), string(backup.EntrySending), string(backup.EntrySent),
	string(backup.EntryFailed), string(backup.EntryFiltered), string(backup.EntryBaseline)}

func newHistory(a *app) *cobra.Command {
	var q ledger.Query
	var state, since string
	c := &cobra.Command{
		Use:   "history [TEXT]",
		Short: "List runs and what became of their mails, newest first",
		Long: `List runs and what became of their mails, newest first; with TEXT those whose
device, job or customer has it in its name. On a narrow terminal names are cut
and the customer may be left out; with COLUMNS=200 in front of the call there is
room for it, and --json shows everything. Times are in mail.timezone, those of --since too.`,
		Example: `  covebridge history
  covebridge history srv01 --since 7d
  covebridge history --state failed`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				q.Text = args[0]
			}
			if q.State = backup.EntryState(state); state != "" && !slices.Contains(states, state) {
				return usageError{fmt.Errorf("--state: %s is expected, not %q", either(states), state)}
			}
			l, done, err := a.ledger(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			if q.Since, err = a.moment("--since", since); err != nil {
				return err
			}
			entries, err := l.Entries(cmd.Context(), q)
			if err != nil {
				return err
			}
			if a.json {
				return a.historyJSON(cmd.Context(), l, entries)
			}
			t := a.table("Ended", "Status", "Job", "Customer", "Mail", "Run").clip("Job", "Customer")
			for _, e := range entries {
				t.row(e.Run.End, e.Run.Status, e.Run.Job, e.Run.Device.Customer, e.State, e.Run.ID)
				t.note(e.Reason)
			}
			return t.write()
		},
	}
	c.Flags().StringVar(&state, "state", "", "only mails in this state: "+either(states))
	c.Flags().StringVar(&since, "since", "", "only runs that ended since: a date, a date with time, or a span such as 2d")
	q.Limit = 50
	c.Flags().Var(limit{&q.Limit}, "limit", "at most so many; 0: all")
	a.jsonFlag(c)
	return c
}
