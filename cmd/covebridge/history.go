package main

import (
	"fmt"
	"slices"
	"time"

	"covebridge/bridge/backup"

	"github.com/spf13/cobra"

	"covebridge/bridge/config"
	"covebridge/bridge/ledger"
)

func newHistory(a *app) *cobra.Command {
	var q ledger.Query
	var state, since string
	c := &cobra.Command{
		Use:   "history [TEXT]",
		Short: "List runs and what became of their mails, newest first",
		Long: `List runs and what became of their mails, newest first; with TEXT those whose
device, job or customer has it in its name.`,
		Example: `  covebridge history
  covebridge history srv01 --since 7d
  covebridge history --state failed`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				q.Text = args[0]
			}
			states := []backup.EntryState{backup.EntryQueued, backup.EntrySending, backup.EntrySent, backup.EntryFailed, backup.EntryFiltered, backup.EntryBaseline}
			if q.State = backup.EntryState(state); state != "" && !slices.Contains(states, q.State) {
				return usageError{fmt.Errorf("--state: %q is none: use one of %q", state, states)}
			}
			var err error
			if q.Since, err = moment(since, time.Now()); err != nil {
				return usageError{fmt.Errorf("--since: %w", err)}
			}
			l, err := a.ledger(cmd.Context())
			if err != nil {
				return err
			}
			defer l.Close()
			entries, err := l.Entries(cmd.Context(), q)
			if err != nil {
				return err
			}
			t := a.table("Ended", "Status", "Job", "Customer", "Mail", "Run", "Note")
			for _, e := range entries {
				note := e.Reason
				if note == "" {
					note = e.Receipt
				}
				t.row(e.Run.End, e.Run.Status, e.Run.Job, e.Run.Device.Customer, e.State, e.Run.ID, note)
			}
			return t.write()
		},
	}
	c.Flags().StringVar(&state, "state", "", "only mails in this state: queued, sending, sent, failed, filtered or baseline")
	c.Flags().StringVar(&since, "since", "", "only runs that ended since: a date, a date with time, or a span such as 2d")
	c.Flags().IntVar(&q.Limit, "limit", 50, "at most so many; 0: all")
	a.jsonFlag(c)
	return c
}

// moment reads a date, a time, or a span before now; empty is no time.
func moment(s string, now time.Time) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if d, err := config.ParseDuration(s); err == nil {
		return now.Add(-d), nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04", "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, s, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time: use 2026-11-23, 2026-11-23T18:00 or a span such as 2d", s)
}
