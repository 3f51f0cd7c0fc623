package torture

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"covebridge/bridge/covesim"
	"covebridge/bridge/internal/dovecot"
	"covebridge/bridge/ledger"
)

// start is the first reading of the simulator's clock. It is past, for some
// mail servers take no mail from the future.
var start = time.Date(2025, 11, 3, 6, 0, 0, 0, time.UTC)

const (
	covePassword = "cove-api-token-77"
	recipient    = "backups@mail.test"
	backfill     = 12 * time.Hour
)

// rig is an installation of the real program: a simulated Cove, a configuration
// and a ledger. Its commands run until the test ends, at the latest.
type rig struct {
	testing.TB
	sim      *covesim.Sim
	accounts []string // of the configuration
	dir      string
	where    ledger.Options // where the program keeps its ledger
	dice     *dice
}

// newRig makes an installation without a configuration. Where url is empty, the
// ledger is an SQLite file.
func newRig(t testing.TB, url string) *rig {
	r := &rig{TB: t, dir: t.TempDir(), dice: &dice{r: rand.New(rand.NewPCG(20, 26))}}
	if r.where.Postgres = url; url == "" {
		r.where.SQLite = filepath.Join(r.dir, "ledger.db")
	}
	r.sim = fleet(11)
	r.accounts = []string{account("sim", r.serve(r.sim))}
	return r
}

// configure writes a configuration that delivers as told and keeps the ledger
// at place.
func (r *rig) configure(name, delivery, place, more string) {
	r.Helper()
	accounts := ""
	for _, a := range r.accounts {
		accounts += a + "\n"
	}
	r.write(name, fmt.Sprintf(`
cove:
%s
poll: {interval: 1s, sweep: 1s, rate: 1000, backfill: %s}
mail: {from: cove@msp.example, to: [%s], timezone: UTC}
delivery:
%s
ledger: %s
log: {level: debug}
%s
`, accounts, backfill, recipient, delivery, place, more))
}

func sqlite(path string) string  { return fmt.Sprintf("{sqlite: %q}", path) }
func postgres(url string) string { return fmt.Sprintf("{postgres: %q}", url) }

// fleet simulates devices that back up all the time.
func fleet(seed uint64) *covesim.Sim {
	return covesim.New(covesim.Options{
		Seed: seed, Devices: 12, Start: start, Every: 30 * time.Minute, Password: covePassword,
		History: 48 * time.Hour, Without: covesim.LongRuns | covesim.Wedged,
	})
}

func (r *rig) serve(h http.Handler) (url string) {
	s := httptest.NewServer(h)
	r.Cleanup(s.Close)
	return s.URL
}

// account is the configuration of a login at a simulator.
func account(name, url string) string {
	return fmt.Sprintf("  - {name: %s, url: '%[2]s/jsonapi', reporting_url: '%[2]s/reporting_api', node_url: '%[2]s/node/HOST/repserv_json', username: api-user, password: %[3]s}", name, url, covePassword)
}

func imap(addr string, s *dovecot.Server) string {
	return fmt.Sprintf("  imap: {address: %q, tls: none, username: %s, password: %s}", addr, s.User, s.Password)
}

func (r *rig) write(name, text string) {
	r.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o600); err != nil {
		r.Fatal(err)
	}
}

func (r *rig) command(args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...)
	cmd.Dir = r.dir
	return cmd
}

// output runs the program to its end and gives what it wrote.
func (r *rig) output(args ...string) string {
	r.Helper()
	out, err := r.command(args...).CombinedOutput()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		r.Fatal(err)
	}
	return string(out)
}

// begin starts a command whose output goes to the log.
func (r *rig) begin(cmd *exec.Cmd) *exec.Cmd {
	r.Helper()
	log, err := os.OpenFile(filepath.Join(r.dir, "log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		r.Fatal(err)
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() { _ = cmd.Process.Kill() })
	return cmd
}

// run starts `covebridge run`.
func (r *rig) run(args ...string) *exec.Cmd {
	r.Helper()
	return r.begin(r.command(append([]string{"run"}, args...)...))
}

// end tells a program to stop, and waits until it has.
func (r *rig) end(cmd *exec.Cmd) {
	r.Helper()
	_ = cmd.Process.Signal(os.Interrupt)
	if err := cmd.Wait(); err != nil {
		r.Errorf("the program did not end well: %v\n%s", err, r.log())
	}
}

// log is the end of what the program logged.
func (r *rig) log() []byte {
	log, _ := os.ReadFile(filepath.Join(r.dir, "log"))
	return log[max(0, len(log)-6000):]
}

// look reads the ledger beside whatever runs.
func (r *rig) look(read func(context.Context, *ledger.Ledger) error) {
	r.Helper()
	l, err := ledger.Open(context.Background(), r.where)
	if err != nil {
		r.Fatal(err)
	}
	if err := errors.Join(read(context.Background(), l), l.Close()); err != nil {
		r.Fatal(err)
	}
}

// counts tells how many mails are in which state.
func (r *rig) counts() (n map[ledger.State]int) {
	r.Helper()
	r.look(func(ctx context.Context, l *ledger.Ledger) (err error) {
		n, err = l.Counts(ctx)
		return err
	})
	return n
}

// polled tells up to when all that happened is recorded.
func (r *rig) polled() (until time.Time) {
	r.Helper()
	r.look(func(ctx context.Context, l *ledger.Ledger) error {
		text, err := l.Value(ctx, "polled sim")
		if text != "" {
			until, err = time.Parse(time.RFC3339, text)
		}
		return err
	})
	return until
}

// wait waits until something holds.
func (r *rig) wait(what string, limit time.Duration, holds func() bool) {
	r.Helper()
	for end := time.Now().Add(limit); !holds(); time.Sleep(200 * time.Millisecond) {
		if time.Now().After(end) {
			r.Fatalf("not within %s: %s; mails: %v\n%s", limit, what, r.counts(), r.log())
		}
	}
}

// finished waits until what has happened by now was polled and delivered.
func (r *rig) finished(limit time.Duration) bool {
	r.Helper()
	now := r.sim.Now().Add(-time.Minute) // the mark is of the last reply before a poll
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		if r.polled().Before(now) {
			continue
		}
		if c := r.counts(); c[ledger.Queued]+c[ledger.Sending] == 0 {
			return true
		}
	}
	return false
}

// settled waits until everything is polled and delivered. Time passes
// meanwhile, for what waits for late sessions or error texts.
func (r *rig) settled() {
	r.Helper()
	for range 3 {
		if !r.finished(10 * time.Minute) {
			r.Fatalf("still %v\n%s", r.counts(), r.log())
		}
		r.sim.Advance(2 * time.Hour)
	}
}

// flow moves the simulator's clock on and on, until the test or stop ends it:
// so there is always something to do.
func (r *rig) flow() (stop func()) {
	ended := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		for {
			select {
			case <-ended:
				return
			case <-time.After(400 * time.Millisecond):
				r.sim.Advance(5*time.Minute + r.dice.upTo(5*time.Minute))
			}
		}
	})
	stop = sync.OnceFunc(func() { close(ended); running.Wait() })
	r.Cleanup(stop)
	return stop
}

// dice are seeded, and may be thrown by many at once.
type dice struct {
	mu sync.Mutex
	r  *rand.Rand
}

func (d *dice) upTo(most time.Duration) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return time.Duration(d.r.Int64N(int64(most)))
}

// said tells how often something is in the log.
func (r *rig) said(text string) int {
	log, _ := os.ReadFile(filepath.Join(r.dir, "log"))
	return bytes.Count(log, []byte(text))
}
