//go:build linux

package endtoend

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"covebridge/bridge/ledger"
)

// The power fails after each call that changes the ledger's files or the
// mailbox's. Whatever of the unsynced writes has reached the disk, the ledger
// opens, and the next start brings what is missing and nothing twice.
func TestTorturePowerLoss(t *testing.T) {
	needStrace(t)
	t.Parallel()
	w := newCrashWorld(t, inSQLite(t), inDirectory(t))
	w.powerLoss("first")
	w.later()
	w.powerLoss("later")
}

func (w *crashWorld) powerLoss(name string) {
	d := w.trace()
	cuts, each := len(d.ops)+1, 2
	if !torture {
		cuts, each = 8, 1
	}
	w.inside(name, func() {
		var sum tally
		for i := 0; i < cuts; i += *every {
			for range each {
				n := i
				if !torture {
					n = w.dice.IntN(len(d.ops) + 1)
				}
				seed := w.dice.Uint64()
				sum.add(w.cutOff(d, n, seed))
			}
		}
		w.Logf("%d calls: %v", len(d.ops), sum)
	})
}

// trace runs the program undisturbed and gives what it did to the disk.
func (w *crashWorld) trace() *disk {
	w.Helper()
	a := w.attempt()
	defer a.close()
	before := a.files()
	r := a.strace("--seccomp-bpf", "-xx", "-s", "1000000", "-e", traced(diskCalls...))
	return newDisk(w, r, a.dir, before, onDisk)
}

// onDisk tells which files outlive a power cut and are looked at; the index of
// SQLite's journal is made anew by whoever opens it first.
func onDisk(name string) bool {
	return name == "." || name == "mails" || strings.HasPrefix(name, "mails/") ||
		strings.HasPrefix(name, "ledger.db") && !strings.HasSuffix(name, "-shm") && !strings.HasSuffix(name, ".lock")
}

func (w *crashWorld) cutOff(d *disk, n int, seed uint64) (t tally) {
	w.Helper()
	a := w.attempt()
	defer a.close()
	for name := range a.files() {
		if err := os.Remove(filepath.Join(a.dir, name)); err != nil {
			w.Fatal(err)
		}
	}
	files := d.cut(n, rand.New(rand.NewPCG(1, seed)))
	for name, content := range files {
		a.write(name, string(content))
	}
	t.points++
	if err := opens(w.TempDir(), files); err != nil {
		w.Errorf("cut after call %d, seed %d: the ledger does not open: %v", n, seed, err)
	}
	got := w.mailbox.take(a.site)
	slices.SortFunc(got, func(a, b arrival) int { return a.end.Compare(b.end) }) // in which order they came is not known any more
	said := w.restart(a, &got, &t)
	w.compare(got, &t)
	if t.bad() {
		w.Errorf("cut after call %d, seed %d: %v\n%s", n, seed, t, said)
	}
	return t
}

// opens opens a copy of the ledger, and has SQLite check it.
func opens(dir string, files map[string][]byte) error {
	path := filepath.Join(dir, "ledger.db")
	for name, content := range files {
		if filepath.Dir(name) == "." {
			if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
				return err
			}
		}
	}
	l, err := ledger.Open(context.Background(), ledger.Options{SQLite: path})
	if err != nil {
		return err
	}
	if err := l.Close(); err != nil {
		return err
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		return err
	}
	defer db.Close()
	var found string
	if err := db.QueryRow("PRAGMA integrity_check").Scan(&found); err != nil || found != "ok" {
		return fmt.Errorf("integrity_check: %s, %w", found, err)
	}
	return nil
}

// files gives the files that onDisk names.
func (a attempt) files() map[string][]byte {
	a.Helper()
	files := map[string][]byte{}
	for _, pattern := range []string{"*", "mails/*", "mails/.*"} {
		found, _ := filepath.Glob(filepath.Join(a.dir, pattern))
		for _, path := range found {
			name, _ := filepath.Rel(a.dir, path)
			if info, err := os.Stat(path); err != nil || info.IsDir() || !onDisk(name) {
				continue
			}
			content, err := os.ReadFile(path)
			if err != nil {
				a.Fatal(err)
			}
			files[name] = content
		}
	}
	return files
}
