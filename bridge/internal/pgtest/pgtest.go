// Package pgtest gives tests a real PostgreSQL server, started from the
// installed binaries, once per test program.
package pgtest

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"covebridge/bridge/internal/freeport"
	"covebridge/bridge/internal/realtest"
)

var (
	start   sync.Once
	base    string // URL without the database
	failure error
	count   atomic.Int64
	//lint:ignore U1000 they only have to stay open
	leash, ours io.Closer // when the leash is closed, by the system at the latest, the server ends; its port is ours as long
)

// URL gives the URL of a fresh, empty database. The server ends with the test
// program. Where PostgreSQL is not installed the test is skipped.
func URL(t testing.TB) string {
	t.Helper()
	binaries := realtest.Need(t, "postgresql", "initdb", "postgres")
	start.Do(func() { base, failure = run(binaries[0], binaries[1]) })
	if failure != nil {
		t.Fatal(failure)
	}
	name := fmt.Sprintf("test%d", count.Add(1))
	db, err := sql.Open("pgx", base+"postgres")
	if err == nil {
		_, err = db.ExecContext(context.Background(), "CREATE DATABASE "+name+" TEMPLATE template0")
		db.Close()
	}
	if err != nil {
		t.Fatalf("create database %s: %v", name, err)
	}
	return base + name
}

// run starts the server in a directory of its own.
func run(initdb, postgres string) (string, error) {
	dir, err := os.MkdirTemp("", "covebridge-pg")
	if err != nil {
		return "", err
	}
	account, err := ordinaryUser(dir)
	if err != nil {
		return "", err
	}
	data := filepath.Join(dir, "data")
	init := exec.Command(initdb, "-D", data, "-U", "bridge", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
	init.Dir, init.SysProcAttr = dir, &syscall.SysProcAttr{Credential: account}
	if out, err := init.CombinedOutput(); err != nil {
		return "", fmt.Errorf("initdb: %w\n%s", err, out)
	}
	port, held, err := freeport.Hold()
	if err != nil {
		return "", err
	}
	ours = held
	// The shell ends the server and removes its directory when the test program
	// is gone, however it ended: then the pipe that it reads from is closed.
	// SIGQUIT is PostgreSQL's immediate shutdown.
	watch := exec.Command("sh", "-c", `"$@" <&- & server=$!; read -r _; kill -QUIT $server; wait $server; rm -rf "$DIR"`, "sh",
		postgres, "-D", data, "-p", strconv.Itoa(port), "-k", "", "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "max_connections=200")
	log, err := os.OpenFile(filepath.Join(dir, "log"), os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600) // a file takes no goroutine that reads it
	if err != nil {
		return "", err
	}
	defer log.Close()
	watch.Stdout, watch.Stderr = log, log
	watch.Dir, watch.Env = dir, append(os.Environ(), "DIR="+dir)
	watch.SysProcAttr = &syscall.SysProcAttr{Credential: account}
	if leash, err = watch.StdinPipe(); err != nil {
		return "", err
	}
	if err := watch.Start(); err != nil {
		return "", err
	}
	base := fmt.Sprintf("postgres://bridge@127.0.0.1:%d/", port)
	if err := answer(base + "postgres"); err != nil {
		said, _ := os.ReadFile(log.Name())
		return "", fmt.Errorf("start PostgreSQL: %w\n%s", err, said)
	}
	return base, nil
}

// ordinaryUser lets PostgreSQL, which refuses to run as root, run as the user
// that its Debian package made. nil: nothing to do.
func ordinaryUser(dir string) (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, err
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, os.Chown(dir, uid, gid)
}

// answer waits until the server answers.
func answer(url string) error {
	db, err := sql.Open("pgx", url)
	if err != nil {
		return err
	}
	defer db.Close()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if err = db.PingContext(context.Background()); err == nil || time.Now().After(end) {
			return err
		}
	}
}
