package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"

	"covebridge/bridge/covesim"
)

func TestMain(m *testing.M) {
	testscript.Main(leakless{m}, map[string]func(){"covebridge": main, "status": exitStatus})
}

// leakless are tests that leave no goroutine behind.
type leakless struct{ *testing.M }

func (m leakless) Run() int {
	status := m.M.Run()
	http.DefaultClient.CloseIdleConnections()
	if err := goleak.Find(); err != nil && status == 0 {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return status
}

// exitStatus runs a command and checks its exit status: status 2 covebridge once.
func exitStatus() {
	want, err := strconv.Atoi(os.Args[1])
	if err != nil {
		panic(err)
	}
	cmd := exec.Command(os.Args[2], os.Args[3:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		panic(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != want {
		fmt.Fprintf(os.Stderr, "status: exit status %d, want %d\n", got, want)
		os.Exit(1)
	}
}

// The scripts in testdata/script are calls of the built command and what must
// come of them.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("TZ", "UTC")
			e.Setenv("GORACE", "atexit_sleep_ms=0")
			if err := os.Mkdir(filepath.Join(e.WorkDir, "mails"), 0o755); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(e.WorkDir, "config.yaml"), []byte(settings), 0o600)
		},
		Condition: func(name string) (bool, error) {
			if name == "python" {
				_, err := exec.LookPath("python3")
				return err == nil || os.Getenv("COVEBRIDGE_NO_SKIP") == "1", nil
			}
			return false, fmt.Errorf("unknown condition %s", name)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"sim":     cmdSim,
			"http":    cmdHTTP,
			"mailbox": cmdMailbox,
			"tls":     cmdTLS,
			"newer":   cmdNewer,
			"sqlite":  cmdSQLite,
			"files":   cmdFiles,
			"term":    cmdTerm,
			"perm":    cmdPerm,
			"systemd": cmdSystemd,
			"hup":     cmdHUP,
			"page":    cmdPage,
		},
	})
}

// settings are the config.yaml of a script, to which it may add lines.
const settings = `mail: {from: Cove <cove@msp.example>, to: [backups@msp.example], timezone: UTC}
silence: {server: 0, m365: 0}
poll: {rate: 1000}
cove:
  - name: sim
    url: http://${SIM}/jsonapi
    reporting_url: http://${SIM}/reporting_api
    node_url: http://${SIM}/repserv_json
    username: api-user
    password: covesim
delivery: {directory: mails}
http: {listen: off}
heartbeat: {every: 0}
`

// sim [flag...] starts "covebridge sim" and sets $SIM to its address. Its clock
// stands still.
func cmdSim(ts *testscript.TestScript, _ bool, args []string) {
	address, stop, err := startSim(args...)
	ts.Check(err)
	ts.Defer(stop)
	ts.Setenv("SIM", address)
}

// http METHOD PATH calls the simulator; with @FILE for PATH, the first address in
// the file.
func cmdHTTP(ts *testscript.TestScript, _ bool, args []string) {
	at := "http://" + ts.Getenv("SIM") + args[1]
	if file, named := strings.CutPrefix(args[1], "@"); named {
		at = regexp.MustCompile(`http://\S+`).FindString(ts.ReadFile(file))
	}
	r, err := http.NewRequest(args[0], at, nil)
	ts.Check(err)
	answer, err := http.DefaultClient.Do(r)
	ts.Check(err)
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		ts.Fatalf("%s", answer.Status)
	}
	_, err = io.Copy(ts.Stdout(), answer.Body)
	ts.Check(err)
}

// mailbox starts an IMAP server with one folder, INBOX, and sets $IMAP to its
// address; user and password are "demo".
func cmdMailbox(ts *testscript.TestScript, _ bool, _ []string) {
	ctx, stop := context.WithCancel(context.Background())
	ts.Defer(stop)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Check(serveMailbox(ctx, ln))
	ts.Setenv("IMAP", ln.Addr().String())
}

// tls starts a server with a certificate of an authority that nobody knows and
// sets $TLS to its address, and $NOBODY to one where nothing listens (port 1
// is for a service that is not in use).
func cmdTLS(ts *testscript.TestScript, _ bool, _ []string) {
	s := httptest.NewUnstartedServer(covesim.New(covesim.Options{}))
	s.Config.ErrorLog = nil
	s.StartTLS()
	ts.Defer(s.Close)
	ts.Setenv("TLS", s.Listener.Addr().String())
	ts.Setenv("NOBODY", "127.0.0.1:1")
}

// newer FILE makes an SQLite ledger look as if a newer program had written it.
func cmdNewer(ts *testscript.TestScript, _ bool, args []string) {
	db, err := sql.Open("sqlite", ts.MkAbs(args[0]))
	ts.Check(err)
	defer db.Close()
	_, err = db.Exec("INSERT INTO ledger_version (version_id, is_applied) VALUES (9999, TRUE)")
	ts.Check(err)
}

// sqlite FILE makes an SQLite file of another program.
func cmdSQLite(ts *testscript.TestScript, _ bool, args []string) {
	db, err := sql.Open("sqlite", ts.MkAbs(args[0]))
	ts.Check(err)
	defer db.Close()
	_, err = db.Exec("CREATE TABLE places (url TEXT)")
	ts.Check(err)
}

// files GLOB [N] waits until N files are there; without N, until one is.
func cmdFiles(ts *testscript.TestScript, neg bool, args []string) {
	want := 1
	if len(args) > 1 {
		var err error
		want, err = strconv.Atoi(args[1])
		ts.Check(err)
	}
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		found, err := filepath.Glob(ts.MkAbs(args[0]))
		ts.Check(err)
		switch {
		case neg && len(found) > 0:
			ts.Fatalf("%s are there", found)
		case neg, len(args) == 1 && len(found) > 0, len(found) == want:
			return
		case time.Now().After(deadline):
			ts.Fatalf("%d files, want %d", len(found), want)
		}
	}
}

// term sends SIGTERM to the programs in the background.
func cmdTerm(ts *testscript.TestScript, _ bool, _ []string) {
	for _, cmd := range ts.BackgroundCmds() {
		ts.Check(cmd.Process.Signal(syscall.SIGTERM))
	}
}

// hup sends SIGHUP to the programs in the background.
func cmdHUP(ts *testscript.TestScript, _ bool, _ []string) {
	for _, cmd := range ts.BackgroundCmds() {
		ts.Check(cmd.Process.Signal(syscall.SIGHUP))
	}
}

// systemd listens as systemd does, for programs started from then on, and notes
// what they tell in FILE, a line each.
func cmdSystemd(ts *testscript.TestScript, _ bool, args []string) {
	folder, err := os.MkdirTemp("", "systemd") // a socket's path is short
	ts.Check(err)
	ts.Defer(func() { os.RemoveAll(folder) })
	address := filepath.Join(folder, "notify")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: address, Net: "unixgram"})
	ts.Check(err)
	told, err := os.Create(ts.MkAbs(args[0]))
	ts.Check(err)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer told.Close()
		for buffer := make([]byte, 4096); ; {
			n, err := socket.Read(buffer)
			if err != nil {
				return
			}
			fmt.Fprintf(told, "%s\n", buffer[:n])
		}
	}()
	ts.Defer(func() { socket.Close(); <-ended })
	ts.Setenv("NOTIFY_SOCKET", address)
	ts.Setenv("WATCHDOG_USEC", "300000")
}

// page PATTERN waits until the page at the address in the file "address" matches,
// for half a minute. Who calls it by another name gets nothing.
func cmdPage(ts *testscript.TestScript, _ bool, args []string) {
	address, want := ts.ReadFile("address"), regexp.MustCompile(args[0])
	get := func(host string) (int, string) {
		r, err := http.NewRequest(http.MethodGet, address, nil)
		ts.Check(err)
		r.Host = host
		answer, err := http.DefaultClient.Do(r)
		ts.Check(err)
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		ts.Check(err)
		return answer.StatusCode, string(body)
	}
	if status, _ := get("attacker.example"); status != http.StatusForbidden {
		ts.Fatalf("called by another name, it answers %d", status)
	}
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		status, body := get("")
		if status == http.StatusOK && want.MatchString(body) {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%d\n%s\ndoes not match %s", status, body, args[0])
		}
	}
}

// perm FILE MODE checks a file's permissions.
func cmdPerm(ts *testscript.TestScript, _ bool, args []string) {
	info, err := os.Stat(ts.MkAbs(args[0]))
	ts.Check(err)
	if got := fmt.Sprintf("%04o", info.Mode().Perm()); got != args[1] {
		ts.Fatalf("%s has mode %s, want %s", args[0], got, args[1])
	}
}
