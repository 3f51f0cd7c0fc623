package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
	"github.com/spf13/cobra"

	"covebridge/bridge"
	"covebridge/bridge/config"
	"covebridge/bridge/covesim"
	"covebridge/bridge/mailbox"
	"covebridge/bridge/message"
)

const (
	demoUser  = "demo"
	demoSpeed = 600 // ten minutes a second
)

func newDemo(a *app) *cobra.Command {
	var once bool
	var listen string
	c := &cobra.Command{
		Use:   "demo",
		Short: "See it work: a simulated Cove, a mailbox and the bridge, all in here",
		Long: `Run a simulated Cove, an IMAP server in memory and the bridge between them, with
no configuration. Mails arrive as the simulated fleet backs up; its clock runs
600 times as fast as the real one.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := context.WithCancel(cmd.Context())
			defer stop()
			api, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return fmt.Errorf("start the simulated Cove: %w", err)
			}
			sim := covesim.Options{Seed: uint64(time.Now().UnixNano()), Devices: 40, Start: time.Now().Add(-24 * time.Hour), Speed: demoSpeed, Username: "api-user", Password: "covesim"}
			go serve(ctx, api, covesim.New(sim)) //nolint:errcheck // it ends with the demo

			box, err := demoMailbox(ctx, listen)
			if err != nil {
				return err
			}
			b, err := bridge.Open(ctx, demoConfig(api.Addr().String(), box), slog.New(slog.DiscardHandler))
			if err != nil {
				return err
			}
			defer b.Close()
			if err := b.Ledger.Hold(ctx); err != nil {
				return err
			}
			host, port, _ := net.SplitHostPort(box)
			fmt.Fprintf(a.out, "A simulated Cove with 40 devices, a mailbox, and covebridge between them.\n\n")
			d := &demo{Mailbox: b.Mailbox, app: a, stop: stop, once: once, hint: fmt.Sprintf(
				"Look at the mails with any mail program: IMAP server %s, port %s, no encryption,\nuser %[3]s, password %[3]s. For instance:\n\n  mutt -f imap://%[3]s:%[3]s@%s/INBOX\n  curl 'imap://%[3]s:%[3]s@%s/INBOX;UID=1'\n", host, port, demoUser, box, box)}
			b.Mailbox = d
			if !once {
				defer fmt.Fprintln(a.out, "\nThe demo is over; the mailbox is gone with it.")
			}
			b.Run(ctx)
			return nil
		},
	}
	c.Flags().BoolVar(&once, "once", false, "end after the first delivery")
	c.Flags().StringVar(&listen, "listen", "127.0.0.1:1143", "address of the mailbox's IMAP server; taken if free, else another port")
	return c
}

// demoMailbox runs an IMAP server until ctx ends, and gives its address.
func demoMailbox(ctx context.Context, listen string) (string, error) {
	ln, err := net.Listen("tcp", listen)
	if err != nil {
		if ln, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			return "", fmt.Errorf("start the mailbox: %w", err)
		}
	}
	user := imapmemserver.NewUser(demoUser, demoUser)
	if err := user.Create("INBOX", nil); err != nil {
		return "", fmt.Errorf("start the mailbox: %w", err)
	}
	mem := imapmemserver.New()
	mem.AddUser(user)
	server := imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return mem.NewSession(), nil, nil
		},
		Caps:         imap.CapSet{imap.CapIMAP4rev1: {}, imap.CapUIDPlus: {}, imap.CapLiteralPlus: {}},
		InsecureAuth: true,
		Logger:       slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo),
	})
	context.AfterFunc(ctx, func() { server.Close() })
	go server.Serve(ln) //nolint:errcheck // it ends with the demo
	return ln.Addr().String(), nil
}

func demoConfig(api, box string) *config.Config {
	c := config.Default()
	c.Cove = []config.Account{{
		Name: "demo", URL: "http://" + api + "/jsonapi", ReportingURL: "http://" + api + "/reporting_api", NodeURL: "http://" + api + "/repserv_json",
		Username: "api-user", Password: "covesim",
	}}
	c.Poll.Interval, c.Poll.Rate, c.Poll.Concurrency = time.Second, 1000, 8
	c.Mail.From, c.Mail.To, c.Mail.Timezone = "cove@msp.example", []string{"backups@msp.example"}, "Local"
	c.Delivery.IMAP = &config.IMAP{Address: box, TLS: "none", Auth: "plain", Username: demoUser, Password: demoUser, Mailbox: "INBOX", Connections: 2}
	c.Ledger.SQLite = ":memory:"
	return c
}

// demo shows the mails that arrive.
type demo struct {
	bridge.Mailbox
	*app
	hint string
	once bool
	stop func()

	mu    sync.Mutex
	count int
}

// whole is how many mails are listed before one is shown in full.
const whole = 5

// Deliver delivers, and shows what was delivered.
func (d *demo) Deliver(ctx context.Context, m mailbox.Mail, begin func(string) error) (string, error) {
	receipt, err := d.Mailbox.Deliver(ctx, m, begin)
	if err != nil {
		return receipt, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	content, err := message.Read(bytes.NewReader(m.Bytes))
	if d.count++; err != nil || d.once && d.count > 1 {
		return receipt, nil // a mail that can't be shown is there all the same
	}
	fmt.Fprintf(d.out, "%s  %s\n", m.Date.Local().Format("02 Jan 15:04"), printable(content.Subject))
	if d.count == whole || d.once {
		fmt.Fprintf(d.out, "\nThe last one in full:\n%s\n%s%[1]s\n\n%s\n", strings.Repeat("─", 72), printable(content.String()), d.hint)
	}
	if d.once {
		d.stop()
	}
	return receipt, nil
}
