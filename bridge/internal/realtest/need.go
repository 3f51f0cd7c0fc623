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

// Need gives the paths of the binaries. Where one is missing the test is
// skipped with the Debian package to install; with COVEBRIDGE_NO_SKIP=1, as in
// CI, it fails.
func Need(t testing.TB, debianPackage string, binaries ...string) []string {
	t.Helper()
	var paths []string
	for _, name := range binaries {
		path := find(name)
		if path == "" {
			skip := t.Skipf
			if os.Getenv("COVEBRIDGE_NO_SKIP") == "1" {
				skip = t.Fatalf
			}
			skip("%s is not installed: apt-get install %s", name, debianPackage)
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
