package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"

	"covebridge/bridge"
	"covebridge/bridge/mailbox"
	"covebridge/bridge/message"
)

const demoUser = "demo" // its password too

// serveMailbox runs an IMAP server, with an empty mailbox in memory, until ctx ends.
func serveMailbox(ctx context.Context, ln net.Listener) error {
	user := imapmemserver.NewUser(demoUser, demoUser)
	if err := user.Create("INBOX", nil); err != nil {
		return fmt.Errorf("start the mailbox: %w", err)
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
	go server.Serve(ln) //nolint:errcheck // it ends with ctx
	return nil
}

// demo is a mailbox that shows the mails that arrive.
type demo struct {
	bridge.Mailbox
	*app
	address string
	once    bool
	stop    func()
	waiting func() // ends to tell that nothing has arrived yet

	mu    sync.Mutex
	count int
	whole bool // one was shown in full
}

const (
	demoMails  = 12 // how many are listed before one is shown in full
	demoRemind = 20 // after so many more, the way to the mailbox has left the screen
)

func (d *demo) around(m bridge.Mailbox) bridge.Mailbox {
	d.Mailbox = m
	return d
}

// Deliver delivers, and shows what was delivered.
func (d *demo) Deliver(ctx context.Context, mails []mailbox.Mail, begin func(string) error) []mailbox.Result {
	results := d.Mailbox.Deliver(ctx, mails, begin)
	d.waiting()
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, r := range results {
		if r.Err == nil {
			d.arrived(mails[i])
		}
	}
	return results
}

func (d *demo) arrived(m mailbox.Mail) {
	content, err := message.Read(bytes.NewReader(m.Bytes))
	if d.count++; err != nil || d.whole && d.once {
		return // it is there all the same
	}
	fmt.Fprintf(d.out, "  %s  %s\n", m.Date.Local().Format("02 Jan 15:04"), oneLine(content.Subject))
	errors := strings.Count(content.Text, "\n  Error: ")
	telling := 0 < errors && errors < 6
	switch {
	case !d.whole && d.count >= demoMails/2 && (telling || d.count >= demoMails):
		d.show(content)
	case d.whole && d.count%demoRemind == 0:
		fmt.Fprintf(d.out, "  … %d mails are in the mailbox now: IMAP at %s, user and password %q, Ctrl-C ends\n", d.count, d.address, demoUser)
	}
}

// show shows a mail in full, and tells how to look at the others.
func (d *demo) show(content message.Content) {
	d.whole = true
	line := strings.Repeat("─", 72)
	fmt.Fprintf(d.out, "\nThe last one in full:\n%s\n%s\n%s\n", line, printable(strings.TrimSpace(content.String())), line)
	if d.once {
		d.stop()
		return
	}
	host, port, _ := net.SplitHostPort(d.address)
	fmt.Fprintf(d.out, `
Look at the others with any mail program: an IMAP account at host %s,
port %s, without encryption, user name and password %q. For instance:

  mutt -f imap://%[3]s:%[3]s@%[4]s/INBOX
  curl 'imap://%[3]s:%[3]s@%[4]s/INBOX;UID=1'

More arrive as the simulated hours pass. Ctrl-C ends the demo.

`, host, port, demoUser, d.address)
}
