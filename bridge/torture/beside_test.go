package torture

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	imaplib "github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-smtp"

	"covebridge/bridge/internal/dovecot"
	"covebridge/bridge/internal/faultproxy"
)

// By SMTP into a mailbox that can be asked by IMAP, with cuts at every moment:
// nothing comes twice.
func TestTortureBeside(t *testing.T) {
	t.Parallel()
	server := dovecot.Start(t, dovecot.Options{})
	proxy, err := faultproxy.New(faultproxy.SMTP, newPost(t, server))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Close)
	r := newRig(t, "")
	r.configure("config.yaml", smtpDelivery(proxy.Addr())+"\n"+imap(server.Addr, server), sqlite("ledger.db"), "")
	faults := []faultproxy.Fault{
		{At: faultproxy.AfterEnd, Do: faultproxy.Cut},
		{At: faultproxy.AfterEnd, Do: faultproxy.Delay, Delay: 300 * time.Millisecond},
		{At: faultproxy.BeforeMail, Do: faultproxy.Answer, Text: "451 4.3.0 later"},
	}
	if long { // mails that are cut before the end are waited for, for minutes
		for _, point := range faultproxy.Points {
			faults = append(faults, faultproxy.Fault{At: point, Do: faultproxy.Cut})
		}
	}
	proxy.Random(3, 0.2, faults...)
	cmd := r.run()
	stop := r.flow()
	told := 0
	r.wait("mails are struck", 40*time.Minute, func() bool {
		_, struck := proxy.Counts()
		if struck >= told+50 {
			told = struck
			t.Logf("%d mails struck", struck)
		}
		return struck >= times(8, 200)
	})
	stop()
	proxy.Script()
	until := r.sim.Now()
	r.settled()
	r.end(cmd)
	mails, struck := proxy.Counts()
	t.Logf("%d mails, %d struck; %d found in the mailbox", mails, struck, r.said("in the mailbox already"))
	if r.said("in the mailbox already") == 0 {
		t.Error("no mail whose answer was cut off was found")
	}
	r.once(server, until)
}

func smtpDelivery(addr string) string {
	return fmt.Sprintf("  smtp: {address: %q, tls: none, username: ''}", addr)
}

// newPost starts an SMTP server that puts all mails into a mailbox of Dovecot's.
func newPost(t *testing.T, box *dovecot.Server) (addr string) {
	t.Helper()
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &post{box: box}, nil }))
	server.Domain = "mail.test"
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server.ErrorLog = quiet{}
	go server.Serve(ln)
	t.Cleanup(func() { server.Close() })
	return ln.Addr().String()
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

// post is one connection to such a server.
type post struct{ box *dovecot.Server }

func (*post) Reset()                               {}
func (*post) Logout() error                        { return nil }
func (*post) Mail(string, *smtp.MailOptions) error { return nil }
func (*post) Rcpt(string, *smtp.RcptOptions) error { return nil }

func (p *post) Data(r io.Reader) error {
	mail, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	c, err := imapclient.DialInsecure(p.box.Addr, nil)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.Login(p.box.User, p.box.Password).Wait(); err != nil {
		return err
	}
	text := strings.ReplaceAll(strings.ReplaceAll(string(mail), "\r\n", "\n"), "\n", "\r\n")
	cmd := c.Append("INBOX", int64(len(text)), &imaplib.AppendOptions{})
	if _, err := io.WriteString(cmd, text); err != nil {
		return err
	}
	if err := cmd.Close(); err != nil {
		return err
	}
	_, err = cmd.Wait()
	return err
}
