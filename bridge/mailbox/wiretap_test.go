package mailbox

import (
	"io"
	"net"
	"strings"
	"sync"
	"testing"
)

// wiretap counts what a client says.
type wiretap struct {
	addr string
	mu   sync.Mutex
	said map[string]int
}

func tap(t *testing.T, target string) *wiretap {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	w := &wiretap{addr: ln.Addr().String(), said: map[string]int{}}
	go func() {
		for {
			client, err := ln.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", target)
			if err != nil {
				client.Close()
				return
			}
			go io.Copy(client, server)
			go func() {
				io.Copy(server, io.TeeReader(client, w))
				server.Close()
			}()
		}
	}()
	return w
}

func (w *wiretap) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, word := range []string{"FETCH", "SEARCH", "EXAMINE", "LOGIN", "AUTHENTICATE"} {
		w.said[word] += strings.Count(string(b), word)
	}
	return len(b), nil
}
