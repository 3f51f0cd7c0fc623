package freeport

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"sync"
	"testing"
)

// TestMain lets the test call itself: as a process that holds ports until its
// input ends.
func TestMain(m *testing.M) {
	if os.Getenv("HOLD_PORTS") == "" {
		os.Exit(m.Run())
	}
	for range each {
		port, held, err := Hold()
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		defer held.Close()
		fmt.Println(port)
	}
	bufio.NewReader(os.Stdin).ReadByte()
}

const each = 100

// Many processes at once get ports that are all different, on which each can
// listen, and which are free again with the process that had them.
func TestManyProcesses(t *testing.T) {
	var mu sync.Mutex
	got := map[string]int{}
	hold := func() (kill func()) {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "HOLD_PORTS=1")
		if _, err := cmd.StdinPipe(); err != nil {
			t.Error(err)
		}
		out, err := cmd.StdoutPipe()
		if err := errors.Join(err, cmd.Start()); err != nil {
			t.Error(err)
			return func() {}
		}
		lines := bufio.NewScanner(out)
		for range each {
			lines.Scan()
			ln, err := net.Listen("tcp", "127.0.0.1:"+lines.Text())
			if err != nil {
				t.Errorf("%q: %v", lines.Text(), err)
				break
			}
			defer ln.Close()
			mu.Lock()
			got[lines.Text()]++
			mu.Unlock()
		}
		return func() {
			cmd.Process.Kill()
			cmd.Wait()
		}
	}
	var all sync.WaitGroup
	kills := make(chan func(), 20)
	for range cap(kills) {
		all.Go(func() { kills <- hold() })
	}
	all.Wait()
	if len(got) != each*cap(kills) {
		t.Errorf("%d ports, want %d", len(got), each*cap(kills))
	}
	close(kills)
	for kill := range kills {
		kill()
	}
	for port := range got {
		held, err := net.Listen("unix", "@covebridge-port-"+port)
		if err != nil {
			t.Fatalf("port %s is held by a process that was killed: %v", port, err)
		}
		held.Close()
	}
}
