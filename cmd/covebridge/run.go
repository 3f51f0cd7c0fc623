package main

import (
	"context"

	"github.com/spf13/cobra"
)

func newRun(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "run",
		Short: "Poll and deliver until told to stop",
		Long: `Poll every Cove account at poll.interval and deliver the mails, until SIGTERM or
Ctrl-C. A mail in flight is finished first; a second signal ends at once, and
nothing is lost or sent twice even then.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			b, err := a.open(cmd.Context())
			if err != nil {
				return unlessStopped(cmd.Context(), err)
			}
			defer b.Close()
			if err := b.Ledger.Hold(cmd.Context()); err != nil {
				return unlessStopped(cmd.Context(), err)
			}
			b.Log.Info("covebridge runs", "version", version(), "accounts", len(b.Sources), "interval", b.Interval, "ledger", b.Ledger.String())
			b.Run(cmd.Context())
			return nil
		},
	}
}

// unlessStopped drops what went wrong with a start that was told to stop: it
// has done so.
func unlessStopped(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}
