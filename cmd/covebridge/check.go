package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"covebridge/bridge"
	"covebridge/bridge/mailbox"
)

func newCheck(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "check",
		Short: "Try settings, logins, mailbox and templates; send nothing",
		RunE: func(cmd *cobra.Command, _ []string) error {
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
			c, log, err := a.load()
			if err != nil {
				return err
			}
			add("settings", mailbox.Finding{What: a.configPath + " is complete"})
			for _, w := range c.Warnings {
				add("settings", mailbox.Finding{What: "but mind: " + w})
			}
			b, err := bridge.Open(cmd.Context(), c, log)
			if err != nil {
				return err
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
