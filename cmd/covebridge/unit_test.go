package main

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// TestUnitAborted: what the watchdog aborts does not end, under the unit, with
// the exit status after which the unit does not start it anew.
func TestUnitAborted(t *testing.T) {
	unit, err := os.ReadFile("../../deploy/covebridge.service")
	if err != nil {
		t.Fatal(err)
	}
	setting := func(key string) (values []string) {
		for _, m := range regexp.MustCompile(`(?m)^`+key+`=(.*)$`).FindAllStringSubmatch(string(unit), -1) {
			values = append(values, m[1])
		}
		return values
	}
	if got := setting("RestartPreventExitStatus"); !slices.Equal(got, []string{"2"}) {
		t.Fatalf("RestartPreventExitStatus=%q", got)
	}
	if got := setting("LimitCORE"); !slices.Equal(got, []string{"0"}) {
		t.Errorf("LimitCORE=%q: a core holds secrets", got)
	}
	cmd := exec.Command("sh", "-c", `ulimit -c 0; exec "$@"`, "sh", program(t), "sim", "--listen", "127.0.0.1:0")
	cmd.Env = append(os.Environ(), setting("Environment")...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	line, err := lines.ReadString('\n')
	if err != nil || !strings.Contains(line, "answers at") {
		t.Errorf("it began with %q (%v)", line, err)
	}
	if err := cmd.Process.Signal(syscall.SIGABRT); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, lines); err != nil {
		t.Error(err)
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) {
		t.Fatalf("it ended well (%v)", err)
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); !ok || !status.Signaled() {
		t.Errorf("%v: not killed by a signal", exit)
	}
}
