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

// Deliver writes each mail to a temporary file beside its final place, and
// makes it appear there, whole, with a rename. All temporary files are on disk
// before begin is called, and are never removed: Find takes the absence of one
// for a delivery. So where one of them can't be written, none is delivered.
func (d *Directory) Deliver(ctx context.Context, mails []Mail, begin func(mark string) error) []Result {
	if len(mails) == 0 {
		return nil
	}
	for _, mail := range mails {
		name := fileName(mail.MessageID)
		err := ctx.Err()
		if err == nil {
			err = writeFile(d.temporary(name), mail)
		}
		if err != nil {
			return sameResult(mails, d.fail("write "+name, err))
		}
	}
	if err := d.sync(); err != nil {
		return sameResult(mails, d.fail("write", err))
	}
	if err := begin("directory:" + d.path); err != nil {
		return sameResult(mails, err)
	}
	results := make([]Result, len(mails))
	for i, mail := range mails {
		name := fileName(mail.MessageID)
		if err := os.Rename(d.temporary(name), filepath.Join(d.path, name)); err != nil {
			e := d.fail("rename to "+name, err)
			if errors.Is(err, fs.ErrNotExist) { // another bridge, which took over, may have renamed it
				e.Class = Unknown
			}
			results[i].Err = e
			continue
		}
		results[i].Receipt = "directory " + name
	}
	if err := d.sync(); err != nil {
		e := d.fail("sync", err)
		e.Class = Unknown
		for i := range results {
			if results[i].Err == nil {
				results[i] = Result{Err: e}
			}
		}
	}
	return results
}

// Find tells whether the files are there, or were: with a mark, the temporary
// file was on disk, and where neither is left a reader took the mail.
func (d *Directory) Find(ctx context.Context, queries []Query) ([]Found, error) {
	if _, err := os.Stat(d.path); err != nil { // a share that is not mounted is not a reader
		return nil, d.fail("ask", err)
	}
	found := make([]Found, len(queries))
	for i, q := range queries {
		if err := ctx.Err(); err != nil {
			return nil, d.fail("ask", err)
		}
		var err error
		if found[i], err = d.find(q); err != nil {
			return nil, d.fail("ask for "+fileName(q.MessageID), err)
		}
	}
	if err := d.sync(); err != nil { // a rename may not be on disk yet
		return nil, d.fail("ask", err)
	}
	return found, nil
}

func (d *Directory) find(q Query) (Found, error) {
	name := fileName(q.MessageID)
	if there, err := exists(filepath.Join(d.path, name)); there || err != nil {
		return Found{"directory " + name, there}, err
	}
	if there, err := exists(d.temporary(name)); there || err != nil || q.Mark == "" {
		return Found{}, err
	}
	return Found{"directory " + name + " (taken by its reader)", true}, nil
}

// Check writes and removes a file.
func (d *Directory) Check(_ context.Context, report func(Finding)) {
	f, err := os.CreateTemp(d.path, ".covebridge-check-*")
	if err == nil {
		_, err = f.WriteString("checked\n")
		err = errors.Join(err, f.Sync(), f.Close(), os.Remove(f.Name()))
	}
	if err != nil {
		err = d.fail("write", err)
	}
	report(toFinding("directory "+d.path+": writable", err))
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

// sync puts the names in the directory on disk, where the file system can:
// some network shares know no such thing, and put them there by themselves.
func (d *Directory) sync() error {
	f, err := os.Open(d.path)
	if err != nil {
		return err
	}
	defer f.Close()
	err = f.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return err
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
