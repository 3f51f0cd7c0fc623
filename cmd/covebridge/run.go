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
nothing is lost or sent twice even then.

SIGHUP reads the configuration anew and tries refused logins again; one that is
wrong is told of, and changes nothing. Under systemd it tells when it is ready,
how it is, and its watchdog that it makes progress.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.serve(cmd.Context()) },
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
