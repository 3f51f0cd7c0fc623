package mailbox

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Directory puts each mail into a folder of the file system, as a file named
// after its Message-ID. Readers must leave names that begin with a dot alone,
// and may take the others away.
type Directory struct{ path string }

// NewDirectory does not look at the directory yet; it must exist.
func NewDirectory(path string) *Directory { return &Directory{path} }

// Close does nothing.
func (d *Directory) Close() error { return nil }

// Deliver writes the mail to a temporary file beside its final place, and
// makes it appear there, whole, with a rename. The temporary file is on disk
// before begin is called and is never removed: Find takes its absence for a
// delivery.
func (d *Directory) Deliver(ctx context.Context, mail Mail, begin func(mark string) error) (receipt string, err error) {
	name := fileName(mail.MessageID)
	temp, final := d.temporary(name), filepath.Join(d.path, name)
	if err := ctx.Err(); err != nil {
		return "", d.fail("write "+name, err)
	}
	if err := writeFile(temp, mail); err != nil {
		return "", d.fail("write "+name, err)
	}
	if err := d.sync(); err != nil {
		return "", d.fail("write "+name, err)
	}
	if err := begin("directory:" + name); err != nil {
		return "", err
	}
	if err := os.Rename(temp, final); err != nil {
		e := d.fail("rename to "+name, err)
		if errors.Is(err, fs.ErrNotExist) { // another bridge, which took over, may have renamed it
			e.Class = Unknown
		}
		return "", e
	}
	if err := d.sync(); err != nil {
		e := d.fail("sync after "+name, err)
		e.Class = Unknown
		return "", e
	}
	return "directory " + name, nil
}

// Find tells whether the file is there, or was: with a mark, the temporary
// file was on disk, and where neither is left a reader took the mail.
func (d *Directory) Find(ctx context.Context, messageID, mark string, since time.Time) (receipt string, found bool, err error) {
	name := fileName(messageID)
	if _, err := os.Stat(d.path); err != nil { // a share that is not mounted is not a reader
		return "", false, d.fail("ask for "+name, err)
	}
	if there, err := exists(filepath.Join(d.path, name)); there || err != nil {
		if err == nil {
			err = d.sync() // the rename may not be on disk yet
		}
		if err != nil {
			return "", false, d.fail("ask for "+name, err)
		}
		return "directory " + name, true, nil
	}
	if there, err := exists(d.temporary(name)); err != nil {
		return "", false, d.fail("ask for "+name, err)
	} else if there || mark == "" {
		return "", false, nil
	}
	return "directory " + name + " (taken by its reader)", true, nil
}

// Check writes and removes a file.
func (d *Directory) Check(ctx context.Context) ([]Finding, error) {
	f, err := os.CreateTemp(d.path, ".covebridge-check-*")
	if err == nil {
		_, err = f.WriteString("checked\n")
		err = errors.Join(err, f.Sync(), f.Close(), os.Remove(f.Name()))
	}
	if err != nil {
		err = d.fail("write", err)
	}
	return []Finding{finding("directory "+d.path+": writable", err)}, ctx.Err()
}

func (d *Directory) temporary(name string) string { return filepath.Join(d.path, "."+name+".tmp") }

func exists(path string) (bool, error) {
	_, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// writeFile puts the mail on disk. An earlier try may have left the same
// bytes there, and another bridge may be about to rename them: they are
// written over, not cut off first.
func writeFile(path string, mail Mail) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o640)
	if err != nil {
		return err
	}
	_, err = f.Write(mail.Bytes)
	err = errors.Join(err, f.Truncate(int64(len(mail.Bytes))), f.Sync(), f.Close())
	if err == nil && !mail.Date.IsZero() {
		err = os.Chtimes(path, time.Time{}, mail.Date)
	}
	return err
}

// sync puts the names in the directory on disk.
func (d *Directory) sync() error {
	f, err := os.Open(d.path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func (d *Directory) fail(op string, err error) *Error {
	e := &Error{Op: "directory " + d.path + ": " + op, Err: err}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.Hint = "make the directory; covebridge does not, in case a share is not mounted"
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		e.Hint = "let the user that covebridge runs as write there"
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		e.Hint = "the disk is full: make room"
	case errors.Is(err, syscall.ENOTDIR):
		e.Hint = "this is a file: name a directory"
	}
	return e
}

// fileName makes a name that is safe everywhere of a Message-ID: what might
// not be is written as %XX, and what is too long ends in a hash.
func fileName(messageID string) string {
	var b strings.Builder
	for i := range len(messageID) {
		c := messageID[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if letter || strings.IndexByte("_-+@", c) >= 0 || c == '.' && i > 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	name := b.String()
	if len(name) > 200 {
		name = fmt.Sprintf("%s-%x", name[:100], sha256.Sum256([]byte(messageID)))
	}
	return name + ".eml"
}
