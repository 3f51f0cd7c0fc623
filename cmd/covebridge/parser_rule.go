package main

import (
	"fmt"
	"net/mail"

	"github.com/spf13/cobra"

	"covebridge/backupchecks"
	"covebridge/bridge/config"
)

func newParserRule(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "parser-rule",
		Short: "Print the parser rule for Backupchecks, with the configured sender",
		Long: `Print the Python module that makes Backupchecks understand the mails, with the
sender from mail.from filled in. backupchecks/INSTALL.md tells where it goes.`,
		Example: `  covebridge parser-rule > covebridge.py`,
		RunE: func(*cobra.Command, []string) error {
			c, err := a.settings(config.Peek)
			if err != nil {
				return err
			}
			from, err := mail.ParseAddress(c.Mail.From)
			if err != nil {
				return fmt.Errorf("mail.from: %w", err)
			}
			_, err = fmt.Fprint(a.out, backupchecks.Rule(from.Address))
			return err
		},
	}
}
