package deploy_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"covebridge/bridge/internal/realtest"
)

// A package is installed, run to its first mail, upgraded, removed and purged,
// in a copy of the machine that the test throws away.
func TestPackages(t *testing.T) {
	tools := realtest.Need(t, "dpkg", "dpkg")
	tools = append(tools, realtest.Need(t, "rpm", "rpm")...)
	whole := scratch(t)
	first, second := packages(t, "v1.0.0"), packages(t, "v1.0.1")
	for _, tool := range tools {
		kind := map[string]string{"dpkg": "deb", "rpm": "rpm"}[filepath.Base(tool)]
		t.Run(kind, func(t *testing.T) {
			holds(t, kind, one(t, first, kind))
			if whole != nil {
				t.Logf("not installed, for no copy of the machine can be made (run the test with CAP_SYS_ADMIN): %v", whole)
				return
			}
			life := exec.Command("unshare", "--mount", "--pid", "--fork", "--kill-child",
				"sh", "testdata/package.sh", kind, one(t, first, kind), one(t, second, kind))
			if out, err := life.CombinedOutput(); err != nil {
				t.Fatalf("%v:\n%s", err, out)
			}
		})
	}
}

// holds looks whether what a package is for is in it.
func holds(t *testing.T, kind, path string) {
	t.Helper()
	list := map[string][]string{"deb": {"dpkg", "--contents", path}, "rpm": {"rpm", "--query", "--list", "--package", path}}[kind]
	out, err := exec.Command(list[0], list[1:]...).Output()
	if err != nil {
		t.Fatalf("%v: %v", list, err)
	}
	for _, file := range []string{"/usr/bin/covebridge", "/usr/lib/systemd/system/covebridge.service", "/usr/share/covebridge/config.yaml",
		"/usr/share/man/man1/covebridge.1.gz", "/usr/share/bash-completion/completions/covebridge"} {
		if !strings.Contains(string(out), file) {
			t.Errorf("%s is not in %s:\n%s", file, filepath.Base(path), out)
		}
	}
}

// scratch tells why no copy of the machine can be made; nil: one can.
func scratch(t *testing.T) error {
	t.Helper()
	tools := realtest.Need(t, "util-linux", "unshare", "mount", "runuser", "setpriv", "script")
	if os.Geteuid() != 0 {
		realtest.Skip(t, "only root can install packages: run the test as root")
	}
	try := "mount -t tmpfs t /mnt && mkdir /mnt/u /mnt/w /mnt/m && mount -t overlay -o lowerdir=/,upperdir=/mnt/u,workdir=/mnt/w o /mnt/m"
	out, err := exec.Command(tools[0], "--mount", "--pid", "--fork", "sh", "-c", try).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// packages makes the packages of a release for this machine and gives the
// folder that they are in.
func packages(t *testing.T, release string) string {
	t.Helper()
	realtest.Need(t, "make", "make", "gzip", "git")
	dir := t.TempDir()
	cmd := exec.Command("make", "packages", "RELEASE="+release, "ARCHES="+runtime.GOARCH, "DIST="+dir)
	cmd.Dir = "../../.."
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("make packages: %v\n%s", err, out)
	}
	return dir
}

// one gives the one package of a kind.
func one(t *testing.T, dir, kind string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*."+kind))
	if err != nil || len(found) != 1 {
		t.Fatalf("%d packages .%s were made (%v), want 1", len(found), kind, err)
	}
	return found[0]
}
