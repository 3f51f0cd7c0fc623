package main

import (
	"time"

	"github.com/spf13/cobra"
)

func newDevices(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "devices",
		Short: "List the devices seen, each with its newest run",
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, err := a.ledger(cmd.Context())
			if err != nil {
				return err
			}
			defer l.Close()
			devices, err := l.Devices(cmd.Context())
			if err != nil {
				return err
			}
			t := a.table("Device", "Type", "Customer", "Account", "Status", "Ended", "Mail", "Note")
			for _, d := range devices {
				status, ended := "-", time.Time{}
				if d.RunID != "" {
					status, ended = d.Status.String(), d.End
				}
				note := ""
				if d.NoHistory != "" {
					note = "history can't be read: " + d.NoHistory
				}
				t.row(d.Name, d.Type, d.Customer, d.Account, status, ended, d.State, note)
			}
			return t.write()
		},
	}
	a.jsonFlag(c)
	return c
}
