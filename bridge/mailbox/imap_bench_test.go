package mailbox

import (
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"covebridge/bridge/internal/dovecot"
)

const benchBatch = 32

// BenchmarkIMAPDeliver compares batches of 32 mails of 3.8 KB, on one
// connection into Dovecot, with a bare client that appends them one by one and
// with one that does not wait in between. The three take turns, so that what
// else the machine does burdens them alike. x/… is how many times as long as
// the bare client a batch takes (medians); the aim is at most 1.25 of the
// faster of the two.
func BenchmarkIMAPDeliver(b *testing.B) {
	s := dovecot.Start(b, dovecot.Options{})
	for name, delay := range map[string]time.Duration{"loopback": 0, "40ms": 20 * time.Millisecond} {
		b.Run(name, func(b *testing.B) {
			addr := s.Addr
			if delay > 0 {
				addr = delayed(b, s.Addr, delay)
			}
			m := NewIMAP(IMAPOptions{Address: addr, TLS: "none", Username: s.User, Password: s.Password, Mailbox: name, Create: true})
			defer m.Close()
			oneByOne, pipelined := bareClient(b, s, addr, name+"1"), bareClient(b, s, addr, name+"2")
			var n int
			mails := func() (mails []Mail) {
				for range benchBatch {
					n++
					mails = append(mails, testMail(fmt.Sprintf("%s-%d@covebridge", name, n), 3800))
				}
				return mails
			}
			deliver := func(mails []Mail) {
				for _, r := range m.Deliver(context.Background(), mails, func(string) error { return nil }) {
					if r.Err != nil {
						b.Fatal(r.Err)
					}
				}
			}
			deliver(mails()) // connects
			var took [3][]time.Duration
			for b.Loop() {
				for i, do := range []func([]Mail){
					deliver,
					func(mails []Mail) { appendOneByOne(b, oneByOne, name+"1", mails) },
					func(mails []Mail) { appendPipelined(b, pipelined, name+"2", mails) },
				} {
					mails := mails()
					start := time.Now()
					do(mails)
					took[i] = append(took[i], time.Since(start))
				}
			}
			for i := range took {
				slices.Sort(took[i])
			}
			median := func(i int) float64 { return took[i][len(took[i])/2].Seconds() }
			b.ReportMetric(median(0)/median(1), "x/one-by-one")
			b.ReportMetric(median(0)/median(2), "x/pipelined")
			b.ReportMetric(benchBatch/median(0), "mails/s")
		})
	}
}

func bareClient(b *testing.B, s *dovecot.Server, addr, folder string) *imapclient.Client {
	b.Helper()
	c, err := imapclient.DialInsecure(addr, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Close() })
	if err := c.Login(s.User, s.Password).Wait(); err != nil {
		b.Fatal(err)
	}
	c.Create(folder, nil).Wait() // there already where the benchmark runs again
	c.Caps()
	return c
}

func bareAppend(b testing.TB, c *imapclient.Client, folder string, mail Mail) *imapclient.AppendCommand {
	cmd := c.Append(folder, int64(len(mail.Bytes)), &imap.AppendOptions{Time: mail.Date})
	if _, err := cmd.Write(mail.Bytes); err != nil {
		b.Fatal(err)
	}
	if err := cmd.Close(); err != nil {
		b.Fatal(err)
	}
	return cmd
}

func appendOneByOne(b testing.TB, c *imapclient.Client, folder string, mails []Mail) {
	for _, mail := range mails {
		if _, err := bareAppend(b, c, folder, mail).Wait(); err != nil {
			b.Fatal(err)
		}
	}
}

func appendPipelined(b testing.TB, c *imapclient.Client, folder string, mails []Mail) {
	var cmds []*imapclient.AppendCommand
	for _, mail := range mails {
		cmds = append(cmds, bareAppend(b, c, folder, mail))
	}
	for _, cmd := range cmds {
		if _, err := cmd.Wait(); err != nil {
			b.Fatal(err)
		}
	}
}

// delayed passes everything on a while later, in both directions.
func delayed(t testing.TB, target string, delay time.Duration) string {
	t.Helper()
	return between(t, target, func(client, server net.Conn) {
		go passLater(server, client, delay)
		go passLater(client, server, delay)
	})
}

func passLater(to io.WriteCloser, from io.Reader, delay time.Duration) {
	type piece struct {
		bytes []byte
		at    time.Time
	}
	pieces := make(chan piece, 10000)
	go func() {
		defer to.Close()
		for p := range pieces {
			time.Sleep(time.Until(p.at))
			to.Write(p.bytes)
		}
	}()
	defer close(pieces)
	for {
		buffer := make([]byte, 64<<10)
		n, err := from.Read(buffer)
		if n > 0 {
			pieces <- piece{buffer[:n], time.Now().Add(delay)}
		}
		if err != nil {
			return
		}
	}
}
