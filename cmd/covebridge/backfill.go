package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"covebridge/bridge/collect"
	"covebridge/bridge/config"
)

func newBackfill(a *app) *cobra.Command {
	var since, until string
	var span collect.Span
	c := &cobra.Command{
		Use:   "backfill --since DATE",
		Short: "Send the mails of runs that are long over",
		Long: `Send the mails of runs that ended in a span of time and were never sent, with
their true dates. It can be stopped and begun again: what was sent stays sent,
and a second backfill over the same span sends nothing. Dates are in
mail.timezone.`,
		Example: `  covebridge backfill --since 2026-11-01 --customer 'Acme*' --dry-run
  covebridge backfill --since 7d --device srv01_ab12c`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if since == "" {
				return usageError{errors.New("--since is missing: a date such as 2026-11-01, or a span such as 7d")}
			}
			_, err := a.settings(config.Peek) // a wrong flag is told of before secrets are asked for
			if err != nil {
				return err
			}
			if span.Since, err = a.moment("--since", since); err != nil {
				return err
			}
			if span.Until, err = a.moment("--until", until); err != nil {
				return err
			}
			if !span.Until.IsZero() && !span.Until.After(span.Since) {
				return usageError{errors.New("--until has to be later than --since")}
			}
			if err := span.Check(); err != nil {
				return usageError{fmt.Errorf("--%w", err)}
			}
			b, err := a.holdLedger(cmd.Context())
			if err != nil {
				return err
			}
			defer b.Close()
			progress := a.progress("devices", "asking Cove")
			b.OnProgress(progress.update)
			runs, err := b.Backfill(cmd.Context(), span, progress.update)
			progress.end()
			if errors.Is(err, context.Canceled) {
				return fmt.Errorf("stopped after %s; the same call goes on from here", plural(runs, "run", "runs"))
			}
			if span.DryRun {
				fmt.Fprintf(a.out, "%s would be sent\n", plural(runs, "run", "runs"))
				return err
			}
			return errors.Join(err, a.drain(cmd, b))
		},
	}
	c.Flags().StringVar(&since, "since", "", "runs that ended since: a date, a date with time, or a span such as 7d")
	c.Flags().StringVar(&until, "until", "", "runs that ended before; default: now")
	c.Flags().StringArrayVar(&span.Customers.Include, "customer", nil, "only these customers (glob; may be given again)")
	c.Flags().StringArrayVar(&span.Devices.Include, "device", nil, "only these devices (glob; may be given again)")
	c.Flags().BoolVar(&span.DryRun, "dry-run", false, "count; record and send nothing")
	return c
}
