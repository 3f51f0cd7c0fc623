package bridge_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

// buildDir is where the built program lies, once a test has asked for it.
var buildDir string

// No test leaves a goroutine behind.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(status int) {
		os.RemoveAll(buildDir)
		os.Exit(status)
	}))
}

// program builds the real program, once for all tests.
var program = sync.OnceValues(func() (path string, err error) {
	if buildDir, err = os.MkdirTemp("", "covebridge"); err != nil {
		return "", err
	}
	path = filepath.Join(buildDir, "covebridge")
	out, err := exec.Command("go", "build", "-o", path, "covebridge/cmd/covebridge").CombinedOutput()
	if err != nil {
		err = errors.Join(fmt.Errorf("build the program: %w", err), errors.New(string(out)))
	}
	return path, err
})

func build(t testing.TB) string {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	return path
}
