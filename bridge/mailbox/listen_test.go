package mailbox

import (
	"net"
	"testing"
)

// listen serves each connection to a free port, until stop is called.
func listen(t testing.TB, serve func(net.Conn)) (addr string, stop func()) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go serve(conn)
		}
	}()
	return ln.Addr().String(), func() { ln.Close() }
}

// between stands between a client and the server at target, and has both
// directions passed on by relay. It ends with the test.
func between(t testing.TB, target string, relay func(client, server net.Conn)) (addr string) {
	t.Helper()
	addr, stop := listen(t, func(client net.Conn) {
		server, err := net.Dial("tcp", target)
		if err != nil {
			client.Close()
			return
		}
		relay(client, server)
	})
	t.Cleanup(stop)
	return addr
}
