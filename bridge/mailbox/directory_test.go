package mailbox

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestDirectoryDelivers(t *testing.T) {
	dir := t.TempDir()
	m := NewDirectory(dir)
	mail := testMail("cove-1-20260301T020304Z@covebridge", 300)
	receipt, mark := mustDeliver(t, m, mail)
	const name = "cove-1-20260301T020304Z@covebridge.eml"
	if receipt != "directory "+name || mark != "directory:"+dir {
		t.Errorf("receipt %q, mark %q", receipt, mark)
	}
	got, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil || !bytes.Equal(got, mail.Bytes) {
		t.Errorf("read %q, %v", got, err)
	}
	if info, err := os.Stat(filepath.Join(dir, name)); err != nil || !info.ModTime().Equal(day) {
		t.Errorf("modified %v, %v; want %v", info.ModTime(), err, day)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("%d files, want 1", len(entries))
	}
}

// begin stands between the temporary file and its name; Find tells what came of it.
func TestDirectoryFind(t *testing.T) {
	dir := t.TempDir()
	m := NewDirectory(dir)
	mail := testMail("a@covebridge", 300)
	ask := func(mark string, want bool) {
		t.Helper()
		if _, found, err := findOne(t.Context(), m, mail.MessageID, mark, day); found != want || err != nil {
			t.Errorf("mark %q: found %v, %v", mark, found, err)
		}
	}
	ask("", false)
	stopped := errors.New("stopped")
	var kept string
	_, err := deliverOne(t.Context(), m, mail, func(mark string) error {
		kept = mark
		return stopped
	})
	if !errors.Is(err, stopped) {
		t.Fatal(err)
	}
	ask(kept, false) // the temporary file is there
	mustDeliver(t, m, mail)
	ask(kept, true)
	ask("", true)
	if err := os.Remove(filepath.Join(dir, "a@covebridge.eml")); err != nil { // its reader takes it
		t.Fatal(err)
	}
	ask(kept, true)
	ask("", false)
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	if _, found, err := findOne(t.Context(), m, mail.MessageID, kept, day); found || err == nil {
		t.Errorf("without the directory: found %v, %v", found, err)
	}
}

func TestDirectoryTroubles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := map[string]string{filepath.Join(t.TempDir(), "nowhere"): "make the directory", file: "this is a file"}
	if os.Getuid() != 0 { // root may write anywhere
		locked := filepath.Join(t.TempDir(), "locked")
		if err := os.Mkdir(locked, 0o500); err != nil {
			t.Fatal(err)
		}
		tests[locked] = "let the user"
	}
	for path, hint := range tests {
		m := NewDirectory(path)
		_, err := deliverOne(t.Context(), m, testMail("a@covebridge", 300), nil)
		if e := wantClass(t, err, Unavailable); !strings.Contains(e.Hint, hint) {
			t.Errorf("%s: %v", path, err)
		}
		findings, err := m.Check(t.Context())
		if err != nil || len(findings) != 1 || findings[0].Err == nil || !strings.Contains(findings[0].Hint, hint) {
			t.Errorf("check %s: %+v, %v", path, findings, err)
		}
	}
	if e := NewDirectory("d").fail("write", syscall.ENOSPC); e.Class != Unavailable || !strings.Contains(e.Error(), "make room") {
		t.Error(e)
	}
	m := NewDirectory(t.TempDir())
	if findings, err := m.Check(t.Context()); err != nil || findings[0].Err != nil {
		t.Errorf("%+v, %v", findings, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := deliverOne(ctx, m, testMail("a@covebridge", 300), nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestFileName(t *testing.T) {
	for id, want := range map[string]string{
		"cove-1-20260301T020304Z@covebridge": "cove-1-20260301T020304Z@covebridge.eml",
		"../../etc/passwd":                   "%2E.%2F..%2Fetc%2Fpasswd.eml",
		".hidden@b":                          "%2Ehidden@b.eml",
		"a%2E@b":                             "a%252E@b.eml",
		"ü@b\x00\r\n":                        "%C3%BC@b%00%0D%0A.eml",
	} {
		if got := fileName(id); got != want {
			t.Errorf("%q: got %q, want %q", id, got, want)
		}
	}
	a, b := fileName(strings.Repeat("a", 5000)), fileName(strings.Repeat("a", 5001))
	if a == b || len(a) > 250 {
		t.Errorf("%q, %q", a, b)
	}
}
