//go:build linux

package endtoend

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"covebridge/bridge/internal/realtest"
)

// calls are those by which the program touches disk and network; not every
// architecture has all.
var calls = []string{
	"open", "openat", "read", "pread64", "write", "pwrite64", "ftruncate", "fsync", "fdatasync",
	"rename", "renameat", "renameat2", "unlink", "unlinkat", "connect", "sendto",
}

// point is where something befalls the program: at its nth call of this name.
type point struct {
	call string
	n    int
	args string // as strace writes them, to tell a file from a connection
}

// sleepy is why the nth call is the same one in every run. strace counts the
// calls of each thread by itself, so one thread shall do all: GOMAXPROCS=1, and
// the runtime's monitor, which gives the work of a thread that is in a call to
// another one, sleeps 1 s in place of 20 µs.
var (
	sleepy   = []string{"-e", "inject=nanosleep:poke_enter=@arg1=01000000000000000000000000000000"}
	onThread = []string{"GOMAXPROCS=1", "GODEBUG=containermaxprocs=0,updatemaxprocs=0"}
)

// limit is how long a run may take; it needs a tenth of a second.
const limit = 30 * time.Second

// needStrace skips the test where strace is missing or may not trace.
func needStrace(t testing.TB) {
	t.Helper()
	strace := realtest.Need(t, "strace", "strace")[0]
	args := append(slices.Clone(sleepy), "-f", "-e", "trace=nanosleep", "-o", os.DevNull, "true")
	if out, err := exec.Command(strace, args...).CombinedOutput(); err != nil {
		realtest.Skip(t, "strace can't trace here (in a container: docker run --cap-add SYS_PTRACE): %v: %s", err, out)
	}
}

// run is what became of a call of the program.
type run struct {
	command string
	lines   []string // of the trace, with the thread's number in front
	out     string   // all that the program wrote
	killed  bool
	hung    bool
}

// strace runs the program once, under strace with these options.
func (s *site) strace(options ...string) run {
	s.Helper()
	trace := filepath.Join(s.dir, "trace")
	args := slices.Concat(sleepy, []string{"-f", "-qq", "-y", "-o", trace}, options, []string{program, "once"})
	ctx, cancel := context.WithTimeout(s.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "strace", args...)
	cmd.Dir, cmd.Env = s.dir, append(slices.Clone(s.env), onThread...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) } // the program too
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	r := run{command: cmd.String(), out: out.String(), hung: ctx.Err() != nil}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.Fatalf("%s: %v", r.command, err)
	}
	status := cmd.ProcessState.Sys().(syscall.WaitStatus) // strace ends as the program did
	r.killed = status.Signaled() && status.Signal() == syscall.SIGKILL && !r.hung
	raw, err := os.ReadFile(trace)
	if err != nil {
		s.Fatalf("%s: %v\n%s", r.command, err, r.out)
	}
	r.lines = whole(string(raw))
	return r
}

// panicked tells whether the program ended in a way that no program should.
func panicked(out string) bool {
	return strings.Contains(out, "\ngoroutine ") || strings.Contains(out, "panic: ") || strings.Contains(out, "fatal error: ")
}

// traced is the list of calls to trace.
func traced(names ...string) string {
	return "trace=nanosleep,?" + strings.Join(names, ",?")
}

// kill and fail are the options that let something befall the program at a point.
func (p point) kill() []string {
	return []string{"-e", traced(p.call), "-e", fmt.Sprintf("inject=%s:signal=SIGKILL:when=%d", p.call, p.n)}
}

func (p point) fail() []string {
	return []string{"--seccomp-bpf", "-e", traced(p.call), "-e", fmt.Sprintf("inject=%s:error=%s:when=%d", p.call, p.errno(), p.n)}
}

// errno is what the call fails with; empty: it is the runtime's own, for which
// no program can do anything.
func (p point) errno() string {
	grows := strings.Contains(p.args, "O_CREAT") || slices.Contains([]string{"write", "pwrite64", "ftruncate", "rename", "renameat", "renameat2"}, p.call)
	switch {
	case strings.Contains(p.args, "anon_inode:"):
		return ""
	case strings.Contains(p.args, "<socket:"), strings.Contains(p.args, "<TCP"):
		return "ECONNRESET"
	case grows && p.n%2 == 0:
		return "ENOSPC"
	}
	return "EIO"
}

var callLine = regexp.MustCompile(`^(\d+) +(\w+)\((.*)`)

// points gives all points of an undisturbed run. Where two threads have made an
// nth call, the one that came first is hit.
func (r run) points() (all []point) {
	type counter struct{ thread, call string }
	counts, seen := map[counter]int{}, map[string]bool{}
	for _, line := range r.lines {
		m := callLine.FindStringSubmatch(line)
		if m == nil || !slices.Contains(calls, m[2]) {
			continue
		}
		counts[counter{m[1], m[2]}]++
		p := point{m[2], counts[counter{m[1], m[2]}], m[3]}
		if key := fmt.Sprint(p.call, p.n); !seen[key] {
			seen[key] = true
			all = append(all, p)
		}
	}
	return all
}

// whole puts the two halves of calls together that others came between.
func whole(trace string) (lines []string) {
	begun := map[string]string{}
	for line := range strings.Lines(trace) {
		line = strings.TrimSuffix(line, "\n")
		thread, call, _ := strings.Cut(line, " ")
		if before, ok := strings.CutSuffix(line, " <unfinished ...>"); ok {
			begun[thread] = before
			continue
		}
		if strings.HasPrefix(strings.TrimSpace(call), "<... ") {
			_, rest, _ := strings.Cut(line, " resumed>")
			line = begun[thread] + rest
			delete(begun, thread)
		}
		lines = append(lines, line)
	}
	return lines
}
