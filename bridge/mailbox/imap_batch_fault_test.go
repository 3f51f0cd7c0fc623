package mailbox

import (
	"context"
	"covebridge/bridge/internal/faultproxy"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
)

// A server that goes silent in mid-APPEND is given up after the limit, and
// other connections go on meanwhile.
func TestIMAPSilenceInBatch(t *testing.T) {
	if m := NewIMAP(IMAPOptions{}); m.idleTimeout != time.Minute {
		t.Errorf("given up after %v, want a minute", m.idleTimeout)
	}
	for _, point := range faultproxy.Points {
		server := startMemory(t, imap.CapUIDPlus, imap.CapLiteralPlus)
		proxy := startProxy(t, faultproxy.IMAP, server.addr)
		m := newTestIMAP(t, proxy.Addr())
		m.idleTimeout = 300 * time.Millisecond
		proxy.Script(faultproxy.Fault{At: point, Do: faultproxy.Stall})
		var stalled []Result
		var done sync.WaitGroup
		done.Go(func() { stalled = m.Deliver(t.Context(), batch("s", 20000, 20000), new(begun).begin) })
		for _, struck := proxy.Counts(); struck == 0; _, struck = proxy.Counts() {
			time.Sleep(time.Millisecond)
		}
		mustDeliver(t, m, testMail("b@covebridge", 300))
		done.Wait()
		if e := wantClass(t, stalled[0].Err, Unknown); !strings.Contains(e.Error(), "no answer for 300ms") {
			t.Errorf("%v: %v", point, e)
		}
		wantClass(t, stalled[1].Err, Unavailable)
	}
}

// ctx ends every call at once, whatever it waits for.
func TestIMAPCancel(t *testing.T) {
	server := startMemory(t, imap.CapUIDPlus, imap.CapLiteralPlus)
	for _, size := range sizes {
		proxy := startProxy(t, faultproxy.IMAP, server.addr)
		m := newTestIMAP(t, proxy.Addr())
		proxy.Script(faultproxy.Fault{At: faultproxy.BeforeEnd, Do: faultproxy.Stall})
		ctx, cancel := context.WithCancel(t.Context())
		began := time.Now()
		results := m.Deliver(ctx, batch("c", size, size), func(string) error {
			time.AfterFunc(50*time.Millisecond, cancel)
			return nil
		})
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("took %v", took)
		}
		if e := wantClass(t, results[0].Err, Unknown); !errors.Is(e, context.Canceled) {
			t.Error(e)
		}
	}
}

// Whatever happens on the line, each mail of each batch arrives once.
func TestIMAPBatchesUnderFire(t *testing.T) {
	server := startMemory(t, imap.CapUIDPlus, imap.CapLiteralPlus)
	proxy := startProxy(t, faultproxy.IMAP, server.addr)
	faults := append(faultproxy.Cuts(),
		faultproxy.Fault{At: faultproxy.BeforeMail, Do: faultproxy.Answer, Text: "NO [UNAVAILABLE] later"},
		faultproxy.Fault{At: faultproxy.BeforeMail, Do: faultproxy.Answer, Text: "NO"},
		faultproxy.Fault{At: faultproxy.BeforeEnd, Do: faultproxy.Answer, Text: "BAD throttled"},
	)
	proxy.Random(7, 0.1, faults...)
	m := newTestIMAP(t, proxy.Addr())
	const total = 300
	todo := map[string]Mail{}
	for i := range total {
		mail := testMail(fmt.Sprintf("fire-%d@covebridge", i), []int{300, 300, 300, 20000}[i%4])
		todo[mail.MessageID] = mail
	}
	for len(todo) > 0 {
		var mails []Mail
		for _, mail := range todo {
			if mails = append(mails, mail); len(mails) == 32 {
				break
			}
		}
		var b begun
		var doubt []Query
		for i, r := range m.Deliver(t.Context(), mails, b.begin) {
			switch {
			case r.Err == nil:
				delete(todo, mails[i].MessageID)
			case classOf(r.Err) == Unknown:
				doubt = append(doubt, Query{MessageID: mails[i].MessageID, Mark: b.marks[0], Since: day})
			}
		}
		if len(doubt) > 0 { // the server may still be reading what came before a cut
			m.Close()
			server.settle(t)
			m = newTestIMAP(t, proxy.Addr())
		}
		found, err := m.Find(t.Context(), doubt)
		if err != nil {
			t.Fatal(err)
		}
		for i, f := range found {
			if f.Found {
				delete(todo, doubt[i].MessageID)
			}
		}
	}
	if n := server.count(t, "INBOX"); n != total {
		t.Errorf("%d mails, want %d", n, total)
	}
	if mails, struck := proxy.Counts(); struck < 20 {
		t.Errorf("faults struck %d of %d mails only", struck, mails)
	}
}
