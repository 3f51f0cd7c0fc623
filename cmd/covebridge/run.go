package main

import "github.com/spf13/cobra"

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
				return err
			}
			defer b.Close()
			if err := b.Ledger.Hold(cmd.Context()); err != nil {
				return err
			}
			b.Log.Info("covebridge runs", "version", version(), "accounts", len(b.Sources), "interval", b.Interval, "ledger", b.Ledger.String())
			b.Run(cmd.Context())
			return nil
		},
	}
}
