package mailbox

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// At begin the mail is whole on disk, under a name that readers leave alone;
// so a crash at any moment after it leaves one of the two files, or a reader.
func TestDirectoryWholeBeforeBegin(t *testing.T) {
	dir := t.TempDir()
	m := NewDirectory(dir)
	mail := testMail("a@covebridge", 300)
	temp, final := filepath.Join(dir, ".a@covebridge.eml.tmp"), filepath.Join(dir, "a@covebridge.eml")
	// An earlier try left other, longer bytes there.
	if err := os.WriteFile(temp, bytes.Repeat([]byte("old "), 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, found, err := findOne(t.Context(), m, mail.MessageID, "", day); found || err != nil {
		t.Errorf("before begin: found %v, %v", found, err)
	}
	_, err := deliverOne(t.Context(), m, mail, func(string) error {
		if got, err := os.ReadFile(temp); err != nil || !bytes.Equal(got, mail.Bytes) {
			t.Errorf("at begin: %q, %v", got, err)
		}
		if _, err := os.Stat(final); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("at begin the mail is there already: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(final); err != nil || !bytes.Equal(got, mail.Bytes) {
		t.Errorf("delivered %q, %v", got, err)
	}
}

// A temporary file that went away after begin was renamed by another bridge:
// sending the mail again could double it, so Find is to be asked.
func TestDirectoryRenamedByAnother(t *testing.T) {
	dir := t.TempDir()
	m := NewDirectory(dir)
	mail := testMail("a@covebridge", 300)
	var b begun
	_, err := deliverOne(t.Context(), m, mail, func(mark string) error {
		b.begin(mark)
		return os.Rename(filepath.Join(dir, ".a@covebridge.eml.tmp"), filepath.Join(dir, "a@covebridge.eml"))
	})
	wantClass(t, err, Unknown)
	if _, found, err := findOne(t.Context(), m, mail.MessageID, b.marks[0], day); !found || err != nil {
		t.Errorf("found %v, %v", found, err)
	}
}

// A rename that fails while the temporary file stays has delivered nothing.
func TestDirectoryRenameFails(t *testing.T) {
	dir := t.TempDir()
	m := NewDirectory(dir)
	mail := testMail("a@covebridge", 300)
	final := filepath.Join(dir, "a@covebridge.eml")
	_, err := deliverOne(t.Context(), m, mail, func(string) error { return os.Mkdir(final, 0o700) })
	wantClass(t, err, Unavailable)
	if err := os.Remove(final); err != nil {
		t.Fatal(err)
	}
	mustDeliver(t, m, mail)
}

func TestDirectoryHostileMessageID(t *testing.T) {
	for _, id := range []string{"../../escape@b", "/etc/passwd", ".", "..", ".hidden@b", "a/b@c", "a\x00b\r\n@c", strings.Repeat("ü", 3000)} {
		parent := t.TempDir()
		dir := filepath.Join(parent, "in", "box")
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		m := NewDirectory(dir)
		_, mark := mustDeliver(t, m, testMail(id, 300))
		var files []string
		err := filepath.WalkDir(parent, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				files = append(files, path)
			}
			return err
		})
		if err != nil || len(files) != 1 || filepath.Dir(files[0]) != dir || strings.HasPrefix(filepath.Base(files[0]), ".") {
			t.Errorf("%.20q: files %q, %v", id, files, err)
		}
		for _, mark := range []string{mark, ""} {
			if _, found, err := findOne(t.Context(), m, id, mark, day); !found || err != nil {
				t.Errorf("%.20q: found %v, %v", id, found, err)
			}
		}
	}
}

// Root may write anywhere, so the file system's answers are given here.
func TestDirectoryUnwritableHints(t *testing.T) {
	for _, cause := range []error{syscall.EACCES, syscall.EPERM, syscall.EROFS} {
		e := NewDirectory("d").fail("write", &fs.PathError{Op: "open", Path: "d/x", Err: cause})
		if e.Class != Unavailable || !strings.Contains(e.Hint, "let the user") {
			t.Errorf("%v: %v", cause, e)
		}
	}
}
