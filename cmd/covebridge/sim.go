package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"covebridge/bridge/covesim"
)

func newSim(a *app) *cobra.Command {
	var o covesim.Options
	var listen, start string
	var plain bool
	c := &cobra.Command{
		Use:   "sim",
		Short: "Run a simulated Cove to try covebridge against",
		Long: `Run a simulated Cove with a believable fleet: customers, servers, workstations and
Microsoft 365 tenants whose backups start, run and end as its clock moves.

Its clock, its faults and what really happened are steered over HTTP:
  curl -X POST 'http://ADDRESS/sim/advance?by=24h'
  curl -X POST 'http://ADDRESS/sim/fault?kind=throttled&count=3'
  curl -X POST 'http://ADDRESS/sim/clear'
  curl 'http://ADDRESS/sim/truth'`,
		Example: `  covebridge sim --speed 60
  covebridge sim --devices 2000 --every 5m --plain`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if o.Start, err = a.moment("--start", start); err != nil {
				return err
			}
			if o.Devices < 1 || o.Speed < 0 || o.Every < 0 {
				return usageError{errors.New("--devices takes 1 or more, --speed and --every 0 or more")}
			}
			if plain {
				o.Without = covesim.AllQuirks
			}
			ln, err := net.Listen("tcp", listen)
			if err != nil {
				return fmt.Errorf("listen for calls: %w: choose another address with --listen", err)
			}
			making := a.spinner("making up the devices")
			sim := covesim.New(o)
			making()
			fmt.Fprintf(a.out, "A simulated Cove with %s answers at http://%s. In config.yaml:\n\n%s\n",
				plural(o.Devices, "device", "devices"), ln.Addr(), simAccount(ln.Addr().String(), o))
			return serve(cmd.Context(), ln, sim)
		},
	}
	c.Flags().StringVar(&listen, "listen", "127.0.0.1:8640", "address to answer at")
	c.Flags().Uint64Var(&o.Seed, "seed", 1, "the same seed makes the same fleet")
	c.Flags().IntVar(&o.Devices, "devices", 40, "how many devices")
	c.Flags().Float64Var(&o.Speed, "speed", 1, "how many times faster than real its clock runs; 0: it stands still")
	c.Flags().DurationVar(&o.Every, "every", 0, "make every device back up this often; 0: believable schedules")
	c.Flags().BoolVar(&plain, "plain", false, "leave out all of Cove's oddities, such as hostile names and devices that never ran")
	c.Flags().StringVar(&start, "start", "", "first reading of its clock, in UTC; default: now")
	c.Flags().StringVar(&o.Username, "username", "api-user", "login to accept")
	c.Flags().StringVar(&o.Password, "password", "covesim", "its password")
	return c
}

// simAccount is the configuration of an account at the simulator.
func simAccount(address string, o covesim.Options) string {
	return fmt.Sprintf(`cove:
  - name: sim
    url: http://%[1]s/jsonapi
    reporting_url: http://%[1]s/reporting_api
    node_url: http://%[1]s/repserv_json
    username: %[2]s
    password: %[3]s
poll: {rate: 1000}
`, address, o.Username, o.Password)
}

// serve answers until ctx ends.
func serve(ctx context.Context, ln net.Listener, h http.Handler) error {
	s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	defer context.AfterFunc(ctx, func() { s.Close() })()
	if err := s.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}
