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
		findings := check(t.Context(), m)
		if len(findings) != 1 || findings[0].Err == nil || !strings.Contains(findings[0].Hint, hint) {
			t.Errorf("check %s: %+v", path, findings)
		}
	}
	if e := NewDirectory("d").fail("write", syscall.ENOSPC); e.Class != Unavailable || !strings.Contains(e.Error(), "make room") {
		t.Error(e)
	}
	m := NewDirectory(t.TempDir())
	if findings := check(t.Context(), m); findings[0].Err != nil {
		t.Errorf("%+v", findings)
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

// Some file systems know no sync of a directory: that is no failure. That of
// /proc is one of them.
func TestDirectorySyncUnsupported(t *testing.T) {
	f, err := os.Open("/proc")
	if err != nil {
		t.Skip("no /proc here")
	}
	defer f.Close()
	if err := f.Sync(); !errors.Is(err, syscall.EINVAL) {
		t.Skipf("sync of /proc: %v", err)
	}
	if err := NewDirectory("/proc").sync(); err != nil {
		t.Error(err)
	}
	if err := NewDirectory(filepath.Join(t.TempDir(), "nowhere")).sync(); err == nil {
		t.Error("no error for a missing directory")
	}
}

// A batch is begun only when all of it is on disk: of a mail that is not, Find
// would take the absence for a delivery.
func TestDirectoryBatch(t *testing.T) {
	dir := t.TempDir()
	m := NewDirectory(dir)
	mails := batch("d", 300, 300, 300)
	if err := os.Mkdir(filepath.Join(dir, ".d-1@covebridge.eml.tmp"), 0o700); err != nil {
		t.Fatal(err)
	}
	var b begun
	for _, r := range m.Deliver(t.Context(), mails, b.begin) {
		wantClass(t, r.Err, Unavailable)
	}
	if len(b.marks) != 0 {
		t.Errorf("begin got %q", b.marks)
	}
	if err := os.Remove(filepath.Join(dir, ".d-1@covebridge.eml.tmp")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "d-1@covebridge.eml"), 0o700); err != nil { // one rename fails
		t.Fatal(err)
	}
	results := m.Deliver(t.Context(), mails, b.begin)
	if results[0].Err != nil || results[2].Err != nil || len(b.marks) != 1 {
		t.Errorf("%+v, begin got %q", results, b.marks)
	}
	wantClass(t, results[1].Err, Unavailable)
	if err := os.Remove(filepath.Join(dir, "d-0@covebridge.eml")); err != nil { // its reader takes it
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "d-1@covebridge.eml")); err != nil {
		t.Fatal(err)
	}
	found, err := m.Find(t.Context(), []Query{
		{MessageID: "d-0@covebridge", Mark: b.marks[0]}, {MessageID: "d-1@covebridge", Mark: b.marks[0]}, {MessageID: "d-2@covebridge"}, {MessageID: "x@covebridge"},
	})
	if err != nil || !found[0].Found || found[1].Found || !found[2].Found || found[3].Found {
		t.Errorf("%+v, %v", found, err)
	}
}
