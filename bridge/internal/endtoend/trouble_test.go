package endtoend

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"covebridge/bridge/covesim"
)

// Told to stop in the middle of the work, run ends soon and cleanly, and the
// next start goes on.
func TestStop(t *testing.T) {
	s := newSite(t, "delivery: {directory: mails}\n", covesim.AllQuirks)
	cmd := s.command("run")
	var errs strings.Builder
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(30 * time.Second); len(s.folder("mails")) == 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			_ = cmd.Process.Kill()
			t.Fatal("no mail came")
		}
	}
	told := time.Now()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil || !strings.Contains(errs.String(), "stopped") {
		t.Errorf("%v\n%s", err, errs.String())
	}
	if took := time.Since(told); took > 15*time.Second {
		t.Errorf("it took %s", took)
	}
	s.once()
	s.agree(s.folder("mails"))
}

// No file may grow beyond some size, as on a full disk.
func TestLimit(t *testing.T) {
	s := newSite(t, "delivery: {directory: mails}\n", covesim.AllQuirks)
	cmd := exec.Command("sh", "-c", "ulimit -f 300; exec "+program+" once")
	cmd.Dir, cmd.Env = s.dir, s.env
	_, errs := s.run(1, cmd)
	if !strings.Contains(errs, "ledger covebridge.db: ") || !strings.Contains(errs, "Nothing is half written") {
		t.Errorf("it wrote\n%s", errs)
	}
	s.once()
	s.agree(s.folder("mails"))
}

// A full disk under the mails, then under the ledger, then room again.
func TestFullDisk(t *testing.T) {
	s := newSite(t, "delivery: {directory: small}\n", covesim.AllQuirks)
	disk := func(name, size string, flags uintptr) bool {
		path := filepath.Join(s.dir, name)
		_ = os.Mkdir(path, 0o755)
		if err := syscall.Mount("none", path, "tmpfs", flags, "size="+size); err != nil {
			t.Logf("only root can make a small disk (%v); TestLimit does it another way", err)
			return false
		}
		return true
	}
	if !disk("small", "64k", 0) {
		return
	}
	defer syscall.Unmount(filepath.Join(s.dir, "small"), 0)
	out, errs := s.run(1, s.command("once"))
	if !strings.Contains(errs, "directory small: ") || !strings.Contains(errs, "the disk is full: make room") || !strings.Contains(out, "wait to be delivered") {
		t.Errorf("it wrote\n%s\n%s", out, errs)
	}
	if !disk("tiny", "400k", 0) {
		t.Fatal("no second disk")
	}
	defer syscall.Unmount(filepath.Join(s.dir, "tiny"), 0)
	s.configure("delivery: {directory: mails}\nledger: {sqlite: tiny/covebridge.db}\n")
	if _, errs = s.run(1, s.command("once")); !strings.Contains(errs, "ledger tiny/covebridge.db: ") || !strings.Contains(errs, "Nothing is half written") && !strings.Contains(errs, "free some space") {
		t.Errorf("it wrote\n%s", errs)
	}
	disk("tiny", "20m", syscall.MS_REMOUNT)
	s.once()
	s.agree(s.folder("mails"))
}
