package torture

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"covebridge/bridge/internal/dovecot"
	"covebridge/bridge/internal/realtest"
)

// The disk fills up under the running program, and is freed again, again and
// again: it goes on by itself, and each run comes once.
func TestTortureFullDisk(t *testing.T) {
	t.Parallel()
	prlimit := realtest.Need(t, "util-linux", "prlimit")[0]
	server := dovecot.Start(t, dovecot.Options{})
	r := newRig(t, "")
	r.configure("config.yaml", imap(server.Addr, server), sqlite("ledger.db"), "")
	// Files that may not grow are as good as a full disk. Its output goes through
	// a pipe, which has no size.
	cmd := exec.Command("sh", "-c", `trap '' XFSZ; exec "$0" run`, program)
	cmd.Dir = r.dir
	said := &output{}
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	limit := func(size string) {
		t.Helper()
		if out, err := exec.Command(prlimit, "--pid", strconv.Itoa(cmd.Process.Pid), "--fsize="+size+":unlimited").CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	r.wait("the first poll", time.Minute, func() bool { return !r.polled().IsZero() })
	full := func() int { return strings.Count(said.String(), "full") }
	for range times(4, 40) {
		largest := int64(0)
		for _, name := range []string{"ledger.db", "ledger.db-wal"} {
			if info, err := os.Stat(filepath.Join(r.dir, name)); err == nil {
				largest = max(largest, info.Size())
			}
		}
		limit(fmt.Sprint(max(largest-int64(r.dice.upTo(64<<10)), 0)))
		before := full()
		r.wait("the disk is full", time.Minute, func() bool {
			r.sim.Advance(30 * time.Minute)
			return full() > before
		})
		time.Sleep(r.dice.upTo(2 * time.Second))
		limit("unlimited")
		time.Sleep(r.dice.upTo(2 * time.Second))
	}
	until := r.sim.Now()
	r.settled()
	t.Logf("the disk was full for %d calls", full())
	_ = cmd.Process.Signal(os.Interrupt)
	if err := cmd.Wait(); err != nil {
		t.Errorf("the program did not end well: %v\n%s", err, said)
	}
	r.once(server, until)
}

// output keeps what a program writes.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}
