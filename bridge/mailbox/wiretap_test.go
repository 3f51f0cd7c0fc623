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
	w := &wiretap{said: map[string]int{}}
	w.addr = between(t, target, func(client, server net.Conn) {
		go io.Copy(client, server)
		io.Copy(server, io.TeeReader(client, w))
		server.Close()
	})
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
