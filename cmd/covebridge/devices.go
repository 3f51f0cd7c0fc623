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
				status, ended := "-", "-"
				if d.RunID != "" {
					status, ended = d.Status.String(), clock(d.End)
				}
				note := ""
				if d.NoHistory != "" {
					note = "history can't be read: " + d.NoHistory
				}
				t.row(d.Name, d.Type, d.Customer, d.Account, status, ended, string(d.State), note)
			}
			return t.write()
		},
	}
	a.jsonFlag(c)
	return c
}

// clock writes a time in the zone of the one who looks.
func clock(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Local().Format("2006-01-02 15:04:05")
}
