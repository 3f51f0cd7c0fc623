// Package freeport reserves TCP ports for servers that are told by number where
// to listen.
//
// A port that was bound to 0 and closed again is anybody's until the server has
// it: the system gives it to the next connection that goes out. So these lie
// below the range from which the system gives ports, and each is held by an
// abstract Unix socket of its number. Like a port, such a socket is one process's
// at a time, and gone with it, however it ends.
package freeport

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"testing"
)

// The ports: registered ones that few servers use, and outside of every usual
// range of ports that the system gives.
const first, end = 20000, 32000

// Reserve gives an address, 127.0.0.1:PORT, that no other test gets until this
// one has ended.
func Reserve(t testing.TB) (addr string) {
	t.Helper()
	port, held, err := Hold()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { held.Close() })
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}

// Hold is Reserve for what outlives a test: the port is held until it is closed,
// or until the process ends.
func Hold() (port int, held io.Closer, err error) {
	if err := outside(); err != nil {
		return 0, nil, err
	}
	start := rand.IntN(end - first)
	for i := range end - first {
		port = first + (start+i)%(end-first)
		held, err = net.Listen("unix", fmt.Sprintf("@covebridge-port-%d", port))
		if err != nil {
			continue // another test's
		}
		ln, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			return port, held, ln.Close()
		}
		held.Close() // a server's that is none of ours
	}
	return 0, nil, errors.New("no port is free")
}

// outside makes sure that the system gives none of these ports.
func outside() error {
	text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err != nil {
		return err
	}
	var low, high int
	if _, err := fmt.Sscan(string(text), &low, &high); err != nil {
		return err
	}
	if low < end && high >= first {
		return fmt.Errorf("the system gives the ports %d to %d: reserve others", low, high)
	}
	return nil
}
