package endtoend

import (
	"io"
	"net"
	"sync"
	"testing"
)

// link passes connections on to a server until it is cut.
type link struct {
	address string
	all     sync.WaitGroup

	mu   sync.Mutex
	away bool
	open map[net.Conn]bool
}

func newLink(t testing.TB, target string) *link {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &link{address: ln.Addr().String(), open: map[net.Conn]bool{}}
	l.all.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", target)
			if err != nil || !l.keep(c, server) {
				c.Close()
				continue
			}
			l.all.Go(func() { carry(c, server) })
			l.all.Go(func() { carry(server, c) })
		}
	})
	t.Cleanup(func() { ln.Close(); l.cut(); l.all.Wait() })
	return l
}

func carry(to, from net.Conn) {
	_, _ = io.Copy(to, from) // however it ends, the other side is told
	to.Close()
	from.Close()
}

// keep takes both ends of a connection, unless the link is cut.
func (l *link) keep(both ...net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range both {
		if l.open[c] = true; l.away {
			c.Close()
		}
	}
	return !l.away
}

// cut ends all connections, and those to come at once.
func (l *link) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.away = true
	for c := range l.open {
		c.Close()
	}
	clear(l.open)
}

func (l *link) mend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.away = false
}
