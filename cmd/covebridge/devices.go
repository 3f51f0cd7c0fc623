package main

import (
	"time"

	"github.com/spf13/cobra"

	"covebridge/bridge/ledger"
)

func newDevices(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "devices",
		Short: "List the devices seen, each with its newest run",
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, done, err := a.ledger(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			devices, err := l.Devices(cmd.Context())
			if err != nil {
				return err
			}
			if a.json {
				return a.devicesJSON(cmd.Context(), l, devices)
			}
			t := a.table(deviceTitles(devices)...).clip("Device", "Customer", "Account")
			for _, d := range devices {
				cells := []any{d.Name, d.Type, d.Customer, "-", time.Time{}, "-"}
				if d.RunID != "" {
					cells = []any{d.Name, d.Type, d.Customer, d.Status, d.End, d.State}
				}
				if len(t.columns) > len(cells) {
					cells = append(cells, d.Account)
				}
				t.row(cells...)
				if d.NoHistory != "" {
					t.note("history can't be read: " + d.NoHistory)
				}
			}
			return t.write()
		},
	}
	a.jsonFlag(c)
	return c
}

// deviceTitles name the account where there are several.
func deviceTitles(devices []ledger.DeviceStatus) []string {
	titles := []string{"Device", "Type", "Customer", "Status", "Ended", "Mail"}
	for _, d := range devices {
		if d.Account != devices[0].Account {
			return append(titles, "Account")
		}
	}
	return titles
}
