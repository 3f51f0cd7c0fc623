package bridge_test

import (
	"context"
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"

	"covebridge/bridge"
	"covebridge/bridge/backup"
	"covebridge/bridge/internal/pgtest"
	"covebridge/bridge/mailbox"
)

// network passes connections on to a server, until it is split: then nothing
// moves any more, and nobody is told.
type network struct {
	net.Listener
	gate sync.RWMutex
}

func newNetwork(t *testing.T, target string) *network {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &network{Listener: ln}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			client, err := ln.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", target)
			if err != nil {
				client.Close()
				continue
			}
			go n.pass(client, server)
			go n.pass(server, client)
		}
	}()
	return n
}

func (n *network) pass(to io.WriteCloser, from io.Reader) {
	defer to.Close()
	buffer := make([]byte, 4096)
	for {
		read, err := from.Read(buffer)
		n.gate.RLock()
		_, werr := to.Write(buffer[:read])
		n.gate.RUnlock()
		if err != nil || werr != nil {
			return
		}
	}
}

// slowBox never gets to the end of a mail: somebody has to break it off.
type slowBox struct {
	*box
	begun  chan struct{}
	broken time.Time // when it was broken off
}

func (s *slowBox) Deliver(ctx context.Context, mails []mailbox.Mail, begin func(string) error) []mailbox.Result {
	results := make([]mailbox.Result, len(mails))
	err := begin("mark")
	if err == nil {
		s.begun <- struct{}{}
		<-ctx.Done()
		s.broken = time.Now()
		err = &mailbox.Error{Op: "append", Class: mailbox.Unknown, Text: "broken off"}
	}
	for i := range results {
		results[i].Err = err
	}
	return results
}

// A bridge that is cut off from the shared ledger in the middle of a delivery
// breaks it off before another one takes it over: the mail comes once.
func TestNetworkSplit(t *testing.T) {
	t.Parallel()
	const lease = 6 * time.Second // whose last third is ample for a busy machine
	ledgerURL, err := url.Parse(pgtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	between := newNetwork(t, ledgerURL.Host)
	cutOff := *ledgerURL
	cutOff.Host = between.Addr().String()

	slow := &slowBox{box: &box{}, begun: make(chan struct{}, 1)}
	w := &world{TB: t, box: &box{}, clock: epoch, lease: lease, url: cutOff.String(), opts: func(o *bridge.Options) { o.Mailbox = slow }}
	w.start()
	first := w.Bridge
	defer first.Close()
	w.queue(backup.Success, "a-1")
	var ended sync.WaitGroup
	ctx, stop := context.WithCancel(t.Context())
	ended.Go(func() { first.Drain(ctx) })
	<-slow.begun
	between.gate.Lock()
	split := time.Now()

	w.url, w.opts = ledgerURL.String(), nil
	w.start()
	defer w.Bridge.Close()
	for w.box.count()["acme-a-1@covebridge"] == 0 {
		if time.Since(split) > 10*lease {
			t.Fatal("the second bridge did not take over")
		}
		w.Drain(t.Context())
		time.Sleep(100 * time.Millisecond)
	}
	arrived := time.Now()
	between.gate.Unlock()
	stop()
	ended.Wait()
	if !slow.broken.Before(arrived) || slow.broken.IsZero() || w.finds == 0 {
		t.Errorf("split at %s, broken off at %s, delivered by the other at %s; the mailbox was asked %d times", split, slow.broken, arrived, w.finds)
	}
	if len(slow.mails) != 0 || len(w.mails) != 1 {
		t.Errorf("the first bridge delivered %d mails, the second %d", len(slow.mails), len(w.mails))
	}
}
