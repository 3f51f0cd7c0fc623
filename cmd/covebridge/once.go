package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"covebridge/bridge/deliver"

	"github.com/spf13/cobra"

	"covebridge/bridge"
)

func newOnce(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "once",
		Short: "Poll and deliver once, then end; for cron",
		Long: `Poll every Cove account once, deliver what is due, and end. The exit status is 1
if an account could not be polled or a mail could not be delivered; what is left
is taken up by the next start.`,
		Example: `  */15 * * * * covebridge once -c /etc/covebridge/config.yaml    (in a crontab)`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			b, err := a.holdLedger(cmd.Context())
			if err != nil {
				return err
			}
			defer b.Close()
			progress := a.progress("devices", "asking Cove")
			b.OnProgress(progress.update)
			b.OnPolled = func() { progress.restart("delivering") }
			s, err := b.Once(cmd.Context())
			progress.end()
			for _, p := range s.Polled {
				fmt.Fprintln(a.out, polled(p, cmd.Context().Err() != nil))
			}
			fmt.Fprintln(a.out, delivered(s.Delivered))
			if s.Waiting > 0 {
				fmt.Fprintf(a.out, "%s to be delivered by the next start\n", plural(s.Waiting, "mail waits", "mails wait"))
			}
			if errors.Is(err, context.Canceled) {
				return errors.New("stopped before the end; the next start goes on from here")
			}
			if err == nil && unfinished(s) {
				return errReported
			}
			return err
		},
	}
}

func polled(p bridge.Polled, stopped bool) string {
	if stopped && !p.Sweep {
		return fmt.Sprintf("%s: stopped after %s", p.Account, plural(p.LookedAt, "device", "devices"))
	}
	if p.Elsewhere {
		return fmt.Sprintf("%s: another covebridge is polling it", p.Account)
	}
	s := fmt.Sprintf("%s: %s read, %d with news, %s", p.Account, plural(p.Devices, "device", "devices"), p.LookedAt, plural(p.Queued, "new mail", "new mails"))
	if p.Failed > 0 {
		s += fmt.Sprintf(", %d FAILED (see the log)", p.Failed)
	}
	return s
}

func delivered(d deliver.Counts) string {
	s := plural(d.Sent, "mail delivered", "mails delivered")
	if d.Found > 0 {
		s += fmt.Sprintf(", %d in the mailbox already", d.Found)
	}
	if d.Resent > 0 {
		s += fmt.Sprintf(", %d sent again after an unknown outcome", d.Resent)
	}
	if d.Retried > 0 {
		s += fmt.Sprintf(", %s failed and will be tried again (see the log)", plural(d.Retried, "delivery", "deliveries"))
	}
	if d.Failed > 0 {
		s += fmt.Sprintf(", %d REFUSED (see covebridge history --state failed)", d.Failed)
	}
	return s
}

// unfinished tells whether something is left undone: a device not looked at, a
// mail not delivered.
func unfinished(s bridge.Summary) bool {
	return s.Waiting > 0 || s.Delivered.Failed > 0 ||
		slices.ContainsFunc(s.Polled, func(p bridge.Polled) bool { return p.Failed > 0 })
}
