package ledger

import (
	"bytes"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Another program's SQLite file is refused, and not a byte of it changes.
func TestForeignFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "places.sqlite")
	db, err := sql.Open("sqlite", path)
	must(t, err)
	_, err = db.Exec("CREATE TABLE moz_places (id INTEGER PRIMARY KEY, url TEXT); INSERT INTO moz_places (url) VALUES ('https://acme.nl')")
	must(t, err)
	must(t, db.Close())
	before, err := os.ReadFile(path)
	must(t, err)

	l, err := Open(t.Context(), Options{SQLite: path})
	if err == nil {
		l.Close()
	}
	want := "ledger " + path + ": open: this SQLite file is not a covebridge's: name another file with ledger.sqlite"
	if !errors.Is(err, ErrForeign) || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	after, err := os.ReadFile(path)
	must(t, err)
	if !bytes.Equal(before, after) {
		t.Error("the file was changed")
	}
	left, err := os.ReadDir(dir)
	must(t, err)
	if len(left) != 1 {
		t.Errorf("left beside it: %v", left)
	}
}

// An SQLite file with nothing in it is as good as none.
func TestEmptyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "empty.db")
	db, err := sql.Open("sqlite", path)
	must(t, err)
	_, err = db.Exec("CREATE TABLE x (id INTEGER); DROP TABLE x")
	must(t, err)
	must(t, db.Close())
	l := place{Options: Options{SQLite: path}}.open(t)
	if !strings.Contains(l.String(), "empty.db") {
		t.Error(l)
	}
}
