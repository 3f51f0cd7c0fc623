package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
)

var simAddress = regexp.MustCompile(`answers at http://(\S+?)\. `)

// startSim starts the verb sim on a free port, with a clock that stands still.
func startSim(flags ...string) (address string, stop func(), err error) {
	cmd := exec.Command("covebridge", append([]string{"sim", "--listen", "127.0.0.1:0", "--speed", "0"}, flags...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	lines := bufio.NewReader(out)
	line, err := lines.ReadString('\n')
	found := simAddress.FindStringSubmatch(line)
	if found == nil {
		stop()
		return "", nil, errors.Join(fmt.Errorf("sim began with %q", line), err)
	}
	go io.Copy(io.Discard, lines) //nolint:errcheck // it ends with the simulator
	return found[1], stop, nil
}
