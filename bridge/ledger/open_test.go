package ledger

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"covebridge/bridge/backup"
)

func TestNewer(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		l := p.open(t)
		l.sql(t, "INSERT INTO ledger_version (version_id, is_applied) VALUES (7, $1)", true)
		_, err := Open(t.Context(), p.Options)
		want := "ledger " + l.String() + ": open: this ledger was written by a newer covebridge (schema 7, this one knows 3): install the newer version, or give this one a ledger of its own"
		if !errors.Is(err, ErrNewer) || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	})
}

func TestHeld(t *testing.T) {
	p := sqlitePlace(t)
	l := p.open(t)
	e := entry(device(1), time.Minute, backup.Success)
	commit(t, l, e)
	record(t, l, sent(e.Run.ID, "x"))

	link := filepath.Join(t.TempDir(), "link.db")
	must(t, os.Symlink(p.SQLite, link))
	second, err := Open(t.Context(), Options{SQLite: link})
	must(t, err)
	defer second.Close()
	err = second.Hold(t.Context())
	if !errors.Is(err, ErrHeld) || !strings.Contains(err.Error(), link) || !strings.Contains(err.Error(), "stop that one first") {
		t.Errorf("second Hold: %v", err)
	}
	if _, err := second.Take(t.Context(), 1); !errors.Is(err, ErrNotHeld) {
		t.Errorf("Take without Hold: %v", err)
	}
	// What people look at and do beside a running bridge.
	if found, err := second.Entries(t.Context(), Query{}); err != nil || len(found) != 1 {
		t.Errorf("Entries beside a bridge: %v, %v", found, err)
	}
	must(t, second.Resend(t.Context(), e))
	if ids := take(t, l, 1); len(ids) != 1 {
		t.Errorf("the bridge does not see what was resent: %v", ids)
	}
	must(t, l.Close())
	must(t, second.Hold(t.Context()))
}

func TestFileMode(t *testing.T) {
	p := sqlitePlace(t)
	l := p.open(t)
	commit(t, l, entry(device(1), time.Minute, backup.Success))
	for _, end := range []string{"", "-wal", "-shm", ".lock"} {
		info, err := os.Stat(p.SQLite + end)
		must(t, err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v", info.Name(), info.Mode())
		}
	}
	var mode string
	var synchronous int
	must(t, l.writer.db.QueryRow("PRAGMA journal_mode").Scan(&mode))
	must(t, l.writer.db.QueryRow("PRAGMA synchronous").Scan(&synchronous))
	if mode != "wal" || synchronous != 2 {
		t.Errorf("journal_mode %s, synchronous %d", mode, synchronous)
	}
}

func TestMemory(t *testing.T) {
	l := place{Options: Options{SQLite: ":memory:"}}.open(t)
	commit(t, l, entry(device(1), time.Minute, backup.Success))
	if ids := take(t, l, 1); len(ids) != 1 {
		t.Errorf("took %v", ids)
	}
	if _, err := os.Stat(":memory:"); err == nil {
		t.Error("made a file of that name")
	}
}

func TestOddPath(t *testing.T) {
	path := filepath.Join(t.TempDir(), "odd ?#%41&=ü.db")
	l := place{Options: Options{SQLite: path}}.open(t)
	commit(t, l, entry(device(1), time.Minute, backup.Success))
	if info, err := os.Stat(path); err != nil || info.Size() == 0 {
		t.Errorf("%v, %v", info, err)
	}
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	garbage := filepath.Join(dir, "garbage.db")
	must(t, os.WriteFile(garbage, []byte(strings.Repeat("no database ", 1000)), 0o600))
	for _, c := range []struct {
		name string
		o    Options
		want []string
	}{
		{"neither", Options{}, []string{"exactly one of sqlite and postgres"}},
		{"both", Options{SQLite: "x", Postgres: "y"}, []string{"exactly one of sqlite and postgres"}},
		{"no directory", Options{SQLite: filepath.Join(dir, "none/x.db")}, []string{"none/x.db: open: no such file or directory: create the directory"}},
		{"a directory", Options{SQLite: dir}, []string{dir, "a file, not a directory"}},
		{"no database", Options{SQLite: garbage}, []string{garbage, "is no ledger"}},
		{"read-only", Options{SQLite: "/proc/version"}, []string{"/proc/version", "let the user that covebridge runs as"}},
		{"no URL", Options{Postgres: "postgres://u:geheim@host:port/db"}, []string{"write it as postgres://"}},
		{"no server", Options{Postgres: "postgres://u:geheim@127.0.0.1:1/db"}, []string{"db on PostgreSQL at 127.0.0.1", "is the PostgreSQL server running"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, err := Open(t.Context(), c.o)
			if err == nil {
				l.Close()
				t.Fatal("opened")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v\nlacks %q", err, want)
				}
			}
			if strings.Contains(err.Error(), "geheim") {
				t.Errorf("tells the password: %v", err)
			}
		})
	}
}

func TestNoSuchDatabase(t *testing.T) {
	p := postgresPlace(t)
	_, err := Open(t.Context(), Options{Postgres: p.Postgres + "none"})
	if err == nil || !strings.Contains(err.Error(), "create the database") {
		t.Errorf("got %v", err)
	}
}

// TestReopen: opening is also what happens at every start of every verb.
func TestReopen(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		l := p.open(t)
		commit(t, l, entry(device(1), time.Minute, backup.Success))
		errs := make(chan error)
		for range 4 {
			go func() {
				second, err := Open(t.Context(), p.Options)
				if err == nil {
					_, err = second.Counts(t.Context())
					err = errors.Join(err, second.Close())
				}
				errs <- err
			}()
		}
		for range 4 {
			must(t, <-errs)
		}
	})
}

// TestFirstStart: several programs start at once on a ledger that is not there.
func TestFirstStart(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		errs := make(chan error)
		for range 4 {
			go func() {
				l, err := Open(t.Context(), p.Options)
				if err == nil {
					err = l.SetValue(t.Context(), "name", "value")
					err = errors.Join(err, l.Close())
				}
				errs <- err
			}()
		}
		for range 4 {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
	})
}
