// Package torture holds tests that treat the built program badly in more ways
// than killing it and cutting its connections, which bridge/torture_test.go
// does: they split networks, fill disks, turn clocks, poison mails and break a
// server that can't be asked. Then they compare what arrived with what happened.
package torture

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

var program string // the path of the built program

func TestMain(m *testing.M) {
	flag.Parse()
	// They wait more than they work.
	if err := flag.Set("test.parallel", "12"); err != nil {
		panic(err)
	}
	dir, err := os.MkdirTemp("", "covebridge")
	if err != nil {
		panic(err)
	}
	program = filepath.Join(dir, "covebridge")
	status := 1
	if out, err := exec.Command("go", "build", "-o", program, "covebridge/cmd/covebridge").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the program: %v\n%s", err, out)
	} else {
		status = m.Run()
	}
	os.RemoveAll(dir)
	os.Exit(status)
}

// long tells of `make torture`.
var long = os.Getenv("COVEBRIDGE_TORTURE") == "1"

// times says how often something bad happens: a few times among all tests, many
// times under `make torture`.
func times(few, many int) int {
	if long {
		return many
	}
	return few
}
