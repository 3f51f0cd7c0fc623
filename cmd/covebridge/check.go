package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"covebridge/bridge"
	"covebridge/bridge/config"
	"covebridge/bridge/mailbox"
)

func newCheck(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "check",
		Short: "Try settings, logins, mailbox and templates; send nothing",
		Long: `Try the settings, each Cove login, the ledger, the mailbox and the templates, and
tell of each whether it passed, and if not, why and what to do. Nothing is sent.`,
		Example: `  covebridge check -c /etc/covebridge/config.yaml`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.settings(config.Load)
			if err != nil {
				return err
			}
			path, _ := a.config()
			t := a.table("", "What", "Result")
			failed := false
			add := func(area string, f mailbox.Finding) {
				mark, result := "passed", f.What
				if f.Err != nil {
					mark, failed = "FAILED", true
					result = fmt.Sprintf("%s: %v", f.What, f.Err)
				}
				if f.Hint != "" {
					result += "\n→ " + f.Hint
				}
				t.row(mark, area, result)
			}
			add("settings", mailbox.Finding{What: path + " is complete"})
			for _, w := range c.Warnings {
				add("settings", mailbox.Finding{What: "but mind: " + w})
			}
			b, err := bridge.Open(cmd.Context(), c, a.logger(c.Log))
			if err != nil {
				add("start", mailbox.Finding{What: "read the templates, open the ledger", Err: err})
				return errors.Join(t.write(), told{err})
			}
			defer b.Close()
			add("templates", mailbox.Finding{What: "all can be read and make a mail"})
			b.Check(cmd.Context(), add)
			if err := t.write(); err != nil {
				return err
			}
			if failed {
				return errTold
			}
			return nil
		},
	}
	a.jsonFlag(c)
	return c
}
