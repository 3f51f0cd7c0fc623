// Package deploy_test tries what lies in the folder deploy: the unit, the
// packages, the image. It stands here for the real servers and programs that
// tests alone may import.
package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"covebridge/bridge/internal/realtest"
)

const unitFile = "../../../deploy/covebridge.service"

// What systemd itself says of how much the service could do if it were taken
// over: from 0, nothing, to 10.
func TestUnitIsConfined(t *testing.T) {
	const limit = 3.0
	analyze := realtest.Need(t, "systemd", "systemd-analyze")[0]
	report, err := exec.Command(analyze, "security", "--offline=true", "--no-pager", unitFile).CombinedOutput()
	if err != nil {
		t.Fatalf("systemd-analyze security: %v\n%s", err, report)
	}
	found := regexp.MustCompile(`Overall exposure level for covebridge.service: ([0-9.]+)`).FindSubmatch(report)
	if found == nil {
		t.Fatalf("no level in:\n%s", report)
	}
	if level, err := strconv.ParseFloat(string(found[1]), 64); err != nil || level > limit {
		t.Errorf("exposure level %s, want at most %.1f:\n%s", found[1], limit, report)
	}
}

// A key that systemd does not know, or a value that it can't read, is passed
// over with a line in the journal that nobody reads.
func TestUnitIsUnderstood(t *testing.T) {
	analyze := realtest.Need(t, "systemd", "systemd-analyze")[0]
	unit, err := os.ReadFile(unitFile)
	if err != nil {
		t.Fatal(err)
	}
	// The program need not be installed to look at the rest.
	path := filepath.Join(t.TempDir(), "covebridge.service")
	if err := os.WriteFile(path, []byte(strings.Replace(string(unit), "/usr/bin/covebridge", "/bin/true", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(analyze, "verify", "--man=no", path).CombinedOutput()
	if complaint := strings.TrimSpace(string(out)); err != nil || strings.Contains(complaint, "covebridge.service") {
		t.Errorf("systemd-analyze verify: %v\n%s", err, complaint)
	}
}
