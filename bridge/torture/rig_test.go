package torture

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"covebridge/bridge/covesim"
	"covebridge/bridge/internal/dovecot"
	"covebridge/bridge/internal/postfix"
	"covebridge/bridge/ledger"
)

// start is the first reading of the simulator's clock. It is past, for some
// mail servers take no mail from the future.
var start = time.Date(2025, 11, 3, 6, 0, 0, 0, time.UTC)

const (
	covePassword = "cove-api-token-77"
	backfill     = 12 * time.Hour
)

// rig is an installation of the real program: a simulated Cove, a configuration
// and a ledger. Its commands run until the test ends, at the latest.
type rig struct {
	testing.TB
	sim   *covesim.Sim
	dir   string
	where ledger.Options // where the program keeps its ledger
	dice  *dice
}

// newRig sets the program up to deliver as told. Where names no database, the
// ledger is an SQLite file.
func newRig(t testing.TB, where ledger.Options, delivery string) *rig {
	r := &rig{TB: t, dir: t.TempDir(), where: where, dice: &dice{r: rand.New(rand.NewPCG(20, 26))}}
	r.sim = fleet(11)
	place := fmt.Sprintf("{postgres: %q}", where.Postgres)
	if where.Postgres == "" {
		r.where.SQLite = filepath.Join(r.dir, "ledger.db")
		place = "{sqlite: ledger.db}"
	}
	r.write("config.yaml", fmt.Sprintf(`
cove:
%s
poll: {interval: 1s, sweep: 1s, rate: 1000, backfill: %s}
mail: {from: cove@msp.example, to: [%s], timezone: UTC}
delivery:
%s
ledger: %s
log: {level: debug}
`, account("sim", r.serve(r.sim)), backfill, postfix.To, delivery, place))
	return r
}

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

func smtp(addr string) string {
	return fmt.Sprintf("  smtp: {address: %q, tls: none}", addr)
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
func (r *rig) output(args ...string) (out, errs string) {
	r.Helper()
	return r.outputOf(r.command(args...))
}

func (r *rig) outputOf(cmd *exec.Cmd) (out, errs string) {
	r.Helper()
	var o, e bytes.Buffer
	cmd.Stdout, cmd.Stderr = &o, &e
	if err := cmd.Run(); cmd.ProcessState == nil {
		r.Fatal(err)
	}
	return o.String(), e.String()
}

// run starts `covebridge run`.
func (r *rig) run() *exec.Cmd {
	r.Helper()
	cmd := r.command("run")
	log, err := os.OpenFile(filepath.Join(r.dir, "log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		defer log.Close()
		cmd.Stdout, cmd.Stderr = log, log
		err = cmd.Start()
	}
	if err != nil {
		r.Error(err) // not Fatal: bridges are started beside the test
		return cmd
	}
	r.Cleanup(func() { _ = cmd.Process.Kill() })
	return cmd
}

// kill ends a program at once, as a power cut would.
func kill(cmd *exec.Cmd) {
	if cmd.Process != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
}

// log is the end of what the program logged.
func (r *rig) log() []byte {
	log, _ := os.ReadFile(filepath.Join(r.dir, "log"))
	return log[max(0, len(log)-6000):]
}

// look opens the ledger beside whatever runs.
func (r *rig) look() *ledger.Ledger {
	r.Helper()
	l, err := ledger.Open(context.Background(), r.where)
	if err != nil {
		r.Fatal(err)
	}
	return l
}

// counts tells how many mails are in which state.
func (r *rig) counts() map[ledger.State]int {
	r.Helper()
	l, err := ledger.Open(context.Background(), r.where)
	if err != nil {
		r.Error(err) // not Fatal: tests ask beside themselves
		return nil
	}
	defer l.Close()
	counts, err := l.Counts(context.Background())
	if err != nil {
		r.Error(err)
	}
	return counts
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
				r.sim.Advance(10*time.Minute + r.dice.upTo(10*time.Minute))
			}
		}
	})
	stop = sync.OnceFunc(func() { close(ended); running.Wait() })
	r.Cleanup(stop)
	return stop
}

// quiet lets the program poll and deliver until nothing is left to do.
func (r *rig) quiet() {
	r.Helper()
	cmd := r.run()
	limit := time.Now().Add(10 * time.Minute)
	polls := r.sim.Calls("EnumerateAccountStatistics")
	for still := 0; still < 4; {
		if time.Now().After(limit) {
			r.Fatalf("still busy: %v\n%s", r.counts(), r.log())
		}
		time.Sleep(200 * time.Millisecond)
		if r.sim.Calls("EnumerateAccountStatistics") < polls+3 {
			continue
		}
		polls = r.sim.Calls("EnumerateAccountStatistics")
		if c := r.counts(); c[ledger.Queued]+c[ledger.Sending] > 0 {
			still = 0
			continue
		}
		// What waits for late sessions or error texts goes out when time passes.
		still++
		r.sim.Advance(3 * time.Hour)
	}
	_ = cmd.Process.Signal(os.Interrupt)
	if err := cmd.Wait(); err != nil {
		r.Errorf("the program did not end well: %v\n%s", err, r.log())
	}
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

func (d *dice) oneIn(n int) bool { return d.upTo(time.Duration(n)) == 0 }

// moment is how long a program lives before it is killed: often it has only
// just begun.
func (d *dice) moment() time.Duration {
	if d.oneIn(4) {
		return 2*time.Millisecond + d.upTo(60*time.Millisecond)
	}
	return 50*time.Millisecond + d.upTo(1450*time.Millisecond)
}

func lines(parts ...string) string { return strings.Join(parts, "\n") }
