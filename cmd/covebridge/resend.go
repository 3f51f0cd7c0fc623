package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"covebridge/bridge"
	"covebridge/bridge/ledger"
)

func newResend(a *app) *cobra.Command {
	var failed bool
	c := &cobra.Command{
		Use:   "resend RUN... | --failed",
		Short: "Send the mail of a run again",
		Long: `Send the mail of a run again, whatever became of it, with the same Message-ID. RUN
is its name as "covebridge history" lists it, or the beginning of that. --failed
sends all those again that were refused for good or could not be made.`,
		Example: `  covebridge resend cove-1234567-20261124T020013Z
  covebridge resend --failed`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if failed == (len(args) > 0) {
				return usageError{errors.New("give the names of runs, or --failed")}
			}
			b, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			defer b.Close()
			err = a.queueAgain(cmd.Context(), b, args)
			if err != nil && !failed {
				return err
			}
			return errors.Join(err, a.drain(cmd, b))
		},
	}
	c.Flags().BoolVar(&failed, "failed", false, "all runs whose mails failed")
	return c
}

// queueAgain queues the mails of the runs named, or else of all that failed.
func (a *app) queueAgain(ctx context.Context, b *bridge.Bridge, names []string) error {
	defer a.spinner("queueing the mails again")()
	if len(names) == 0 {
		n, err := b.ResendFailed(ctx, ledger.Query{})
		fmt.Fprintf(a.out, "%s queued again\n", plural(n, "run is", "runs are"))
		return err
	}
	for _, name := range names {
		e, err := b.Resend(ctx, name)
		if err != nil {
			return err
		}
		fmt.Fprintf(a.out, "%s is queued again\n", e.Run.ID)
	}
	return nil
}

// drain delivers what is queued, or leaves it to the covebridge that runs.
func (a *app) drain(cmd *cobra.Command, b *bridge.Bridge) error {
	progress := a.progress("mails", "delivering")
	defer progress.end()
	err := b.Ledger.Hold(cmd.Context())
	if errors.Is(err, ledger.ErrHeld) {
		fmt.Fprintln(a.out, "the covebridge that is running delivers it within seconds")
		return nil
	}
	if err != nil {
		return err
	}
	d := b.Drain(cmd.Context())
	progress.end()
	fmt.Fprintln(a.out, delivered(d))
	if d.Failed > 0 || d.Retried > 0 {
		return errReported
	}
	if cmd.Context().Err() != nil {
		return errors.New("stopped before the end; the next start goes on from here")
	}
	return nil
}
