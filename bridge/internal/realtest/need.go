// Package realtest finds the real servers and programs that tests run against.
package realtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// sbin are the places where Debian keeps servers that are not on every PATH.
var sbin = []string{"/usr/sbin", "/usr/lib/postgresql/*/bin", "/usr/lib/dovecot"}

// Skip skips a test for something that the machine lacks; with
// COVEBRIDGE_NO_SKIP=1, as in CI, the test fails.
func Skip(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("COVEBRIDGE_NO_SKIP") == "1" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// Long leaves a test out of the short form of all tests, `make quick`.
func Long(t testing.TB, why string) {
	t.Helper()
	if testing.Short() {
		t.Skipf("not in the short form: %s", why)
	}
}

// Need gives the paths of the binaries. Where one is missing the test is
// skipped with the Debian package to install (see Skip). The short form of all
// tests runs none of them.
func Need(t testing.TB, debianPackage string, binaries ...string) []string {
	t.Helper()
	Long(t, "it runs "+debianPackage)
	var paths []string
	for _, name := range binaries {
		path := find(name)
		if path == "" {
			Skip(t, "%s is not installed: apt-get install %s", name, debianPackage)
		}
		paths = append(paths, path)
	}
	return paths
}

func find(name string) string {
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	for _, dir := range sbin {
		found, _ := filepath.Glob(filepath.Join(dir, name))
		if len(found) > 0 {
			return found[len(found)-1]
		}
	}
	return ""
}
