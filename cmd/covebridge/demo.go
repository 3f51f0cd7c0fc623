package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/spf13/cobra"

	"covebridge/bridge"
	"covebridge/bridge/config"
	"covebridge/bridge/covesim"
)

const (
	demoSpeed  = 240           // four minutes a second: a mail every few seconds
	demoBefore = 3 * time.Hour // whose mails are there at once
	demoListen = "127.0.0.1:1143"
)

// demoNext says how to go on, with the program as it was called.
const demoNext = `
To put it to work:
  %[1]s init      asks for your Cove login and mailbox, tries them, and writes config.yaml
  %[1]s check     tries everything, and says what is wrong; nothing is sent
  %[1]s preview   shows the mails that would come
  %[1]s run       polls and delivers from then on
README.md, "Put it to work", goes through it step by step.
`

func newDemo(a *app) *cobra.Command {
	var once bool
	var listen string
	c := &cobra.Command{
		Use:   "demo",
		Short: "See it work: a simulated Cove, a mailbox and the bridge, all in here",
		Long: `Run a simulated Cove, an IMAP server in memory and the bridge between them. It
needs no configuration and leaves nothing behind. Mails arrive as the simulated
fleet backs up; its clock runs 240 times as fast as the real one.`,
		Example: `  covebridge demo
  covebridge demo --once`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := context.WithCancel(cmd.Context())
			defer stop()
			waiting := a.spinner("waiting for the first mails")
			defer waiting()
			api, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return fmt.Errorf("start the simulated Cove: %w", err)
			}
			sim := covesim.Options{
				Seed: uint64(time.Now().UnixNano()), Devices: 40, Speed: demoSpeed,
				Without: covesim.Hostile | covesim.UnknownStatus | covesim.UnknownSource | covesim.Wedged, // rare in life
			}
			go serve(ctx, api, covesim.New(sim)) //nolint:errcheck // it ends with the demo

			box, taken, err := demoPort(listen, cmd.Flags().Changed("listen"))
			if err != nil {
				return err
			}
			if err := serveMailbox(ctx, box); err != nil {
				return err
			}
			page, err := demoPage()
			if err != nil {
				return err
			}
			d := &demo{app: a, address: box.Addr().String(), once: once, stop: stop, waiting: waiting}
			b, err := bridge.Open(ctx, demoConfig(api.Addr().String(), box.Addr().String(), page), slog.New(slog.DiscardHandler), d.around)
			if err != nil {
				return unlessStopped(ctx, err)
			}
			defer b.Close()
			if err := b.Ledger.Hold(ctx); err != nil {
				return unlessStopped(ctx, err)
			}
			fmt.Fprintln(a.out, "A simulated Cove with 40 devices, a mailbox, and covebridge between them.")
			if taken != "" {
				fmt.Fprintf(a.out, "Port %s is taken; the mailbox has another one, see below.\n", taken)
			}
			fmt.Fprintf(a.out, "Its status page: http://%s/\n", page)
			fmt.Fprintf(a.out, "Mails arrive (times in %s):\n\n", time.Now().Format("MST"))
			b.Run(ctx)
			if !once {
				fmt.Fprintf(a.out, "\nThe demo is over after %s; the mailbox is gone with it.\n", plural(d.count, "mail", "mails"))
			}
			fmt.Fprintf(a.out, demoNext, os.Args[0])
			return nil
		},
	}
	c.Flags().BoolVar(&once, "once", false, "end after the first mails have arrived")
	c.Flags().StringVar(&listen, "listen", demoListen, "address of the mailbox's IMAP server; the default gives way to another port if it is taken")
	return c
}

// demoPort listens for mail programs. Where the usual port is taken, another
// one is used; one that was asked for must be free.
func demoPort(listen string, wanted bool) (ln net.Listener, taken string, err error) {
	if ln, err = net.Listen("tcp", listen); err != nil && !wanted {
		_, taken, _ = net.SplitHostPort(listen)
		ln, err = net.Listen("tcp", "127.0.0.1:0")
	}
	if err != nil {
		return nil, "", fmt.Errorf("listen on %s: %w: choose another address with --listen", listen, err)
	}
	return ln, taken, nil
}

// demoPage gives an address for the status page that is free.
func demoPage() (string, error) {
	ln, _, err := demoPort(config.Default().HTTP.Listen, false)
	if err != nil {
		return "", err
	}
	return ln.Addr().String(), ln.Close()
}

func demoConfig(api, box, page string) *config.Config {
	c := config.Default()
	c.Cove = []config.Account{{
		Name: "demo", URL: "http://" + api + "/jsonapi", ReportingURL: "http://" + api + "/reporting_api", NodeURL: "http://" + api + "/repserv_json",
		Username: "api-user", Password: "covesim",
	}}
	c.Poll.Interval, c.Poll.Rate, c.Poll.Concurrency, c.Poll.Backfill = time.Second, 1000, 8, demoBefore
	c.Mail.From, c.Mail.To, c.Mail.Timezone = "cove@msp.example", []string{"backups@msp.example"}, "Local"
	c.Delivery.IMAP = &config.IMAP{Address: box, TLS: "none", Auth: "plain", Username: demoUser, Password: demoUser, Mailbox: "INBOX", Connections: 2}
	c.Ledger.SQLite, c.HTTP.Listen = ":memory:", page
	return c
}
