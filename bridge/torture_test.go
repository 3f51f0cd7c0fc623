package bridge_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"covebridge/bridge"
	"covebridge/bridge/backup"
	"covebridge/bridge/covesim"
	"covebridge/bridge/internal/dovecot"
	"covebridge/bridge/internal/faultproxy"
	"covebridge/bridge/internal/pgtest"
	"covebridge/bridge/internal/postfix"
	"covebridge/bridge/internal/realtest"
	"covebridge/bridge/ledger"
)

// times gives how often something bad happens: a few times among all tests,
// many times under `make torture`.
func times(few, many int) int {
	if os.Getenv("COVEBRIDGE_TORTURE") == "1" {
		return many
	}
	return few
}

const covePassword = "cove-api-token-77"

// rig is the real program between a simulated Cove and a real mail server.
type rig struct {
	testing.TB
	sim     *covesim.Sim
	api     string          // where the simulator answers
	visas   map[string]bool // that it handed out
	program string
	dir     string
	where   ledger.Options
	since   time.Time
	dice    *rand.Rand
	logins  int // seen by the simulator
}

func newRig(t *testing.T, where ledger.Options, delivery string) *rig {
	realtest.Long(t, "it runs the built program")
	r := &rig{TB: t, dir: t.TempDir(), where: where, since: epoch, dice: rand.New(rand.NewPCG(11, 5))}
	r.sim = covesim.New(covesim.Options{Seed: 11, Devices: 12, Start: epoch, Every: 30 * time.Minute, Password: covePassword, History: 48 * time.Hour, Without: covesim.LongRuns | covesim.Wedged})
	r.visas = map[string]bool{}
	server := httptest.NewServer(&visaRecorder{Handler: r.sim, visas: r.visas})
	t.Cleanup(server.Close)
	r.api = server.URL
	r.program = build(t)
	place := "ledger: {postgres: '" + where.Postgres + "'}"
	if where.Postgres == "" {
		r.where.SQLite = filepath.Join(r.dir, "ledger.db")
		place = "ledger: {sqlite: ledger.db}"
	}
	r.write("config.yaml", fmt.Sprintf(`
cove: [{name: sim, url: %[1]s/jsonapi, reporting_url: %[1]s/reporting_api, node_url: '%[1]s/node/HOST/repserv_json', username: api-user, password: %[5]s}]
poll: {interval: 1s, sweep: 1s, rate: 1000, backfill: 12h}
http: {listen: off}
mail: {from: cove@msp.example, to: [%[2]s], timezone: UTC}
delivery:
%[3]s
%[4]s
log: {level: debug}
heartbeat: {every: 0}
`, r.api, postfix.To, delivery, place, covePassword))
	return r
}

func (r *rig) write(name, text string) {
	r.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o600); err != nil {
		r.Fatal(err)
	}
}

// start starts the program.
func (r *rig) start(args ...string) *exec.Cmd {
	r.Helper()
	log, err := os.OpenFile(filepath.Join(r.dir, "log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		r.Fatal(err)
	}
	defer log.Close()
	cmd := exec.Command(r.program, append(args, "-c", filepath.Join(r.dir, "config.yaml"))...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() { cmd.Process.Kill() })
	return cmd
}

// kill ends a program at once, as a power cut would.
func (r *rig) kill(cmd *exec.Cmd) {
	cmd.Process.Kill()
	cmd.Wait()
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

func (r *rig) counts() map[backup.EntryState]int {
	r.Helper()
	l := r.look()
	defer l.Close()
	counts, err := l.Counts(context.Background())
	if err != nil {
		r.Fatal(err)
	}
	return counts
}

// quiet lets the program poll and deliver until nothing is left to do. Time
// passes twice meanwhile, for what waits for late sessions or error texts.
func (r *rig) quiet() {
	r.Helper()
	cmd := r.start("run")
	l := r.look()
	defer l.Close()
	deadline := time.Now().Add(10 * time.Minute)
	for range 3 {
		for now := r.sim.Now().Truncate(time.Second); !r.done(l, now); {
			if time.Now().After(deadline) {
				r.Fatalf("still busy: %v\n%s", r.counts(), r.tail())
			}
			time.Sleep(200 * time.Millisecond)
		}
		r.sim.Advance(2 * time.Hour)
	}
	cmd.Process.Signal(os.Interrupt)
	if err := cmd.Wait(); err != nil {
		r.Errorf("the program did not end well: %v\n%s", err, r.tail())
	}
}

// done tells whether a whole poll began at or after a time of the simulator's,
// and nothing waits.
func (r *rig) done(l *ledger.Ledger, since time.Time) bool {
	r.Helper()
	polled, err := l.Value(context.Background(), "account sim")
	if err != nil {
		r.Fatal(err)
	}
	c, err := l.Counts(context.Background())
	if err != nil {
		r.Fatal(err)
	}
	var progress struct{ Product, Sure, Read time.Time }
	_ = json.Unmarshal([]byte(polled), &progress) // there is none before the first poll
	// The clock in it is a second or two behind, never ahead.
	return progress.Read.Equal(progress.Sure) && !progress.Product.Before(since.Add(-time.Minute)) && c[backup.EntryQueued]+c[backup.EntrySending] == 0
}

func (r *rig) tail() []byte {
	log, _ := os.ReadFile(filepath.Join(r.dir, "log"))
	return log[max(0, len(log)-4000):]
}

// compare checks the mails that arrived against what really happened until then.
func (r *rig) compare(until time.Time, ids []string, mails [][]byte) {
	r.Helper()
	l := r.look()
	defer l.Close()
	w := &world{TB: r, box: &box{}, Bridge: bridge.New(bridge.Options{Ledger: l, Log: slog.New(slog.DiscardHandler)})}
	w.arrived(ids, mails)
	n := w.compareSim(r.sim, r.since, until)
	r.Logf("%d sessions compared, %d mails, %d Message-IDs", n, len(ids), len(w.count()))
	if n < 20 {
		r.Errorf("only %d sessions were compared", n)
	}
}

func (r *rig) compareDovecot(server *dovecot.Server, until time.Time) {
	r.Helper()
	var ids []string
	var mails [][]byte
	for _, m := range server.Messages(r, "INBOX") {
		ids, mails = append(ids, m.ID), append(mails, m.Bytes)
	}
	r.compare(until, ids, mails)
}

func imapDelivery(addr string, s *dovecot.Server) string {
	return fmt.Sprintf("  imap: {address: %s, tls: none, username: %s, password: %s}", addr, s.User, s.Password)
}

// The program is killed again and again, at any moment, while it polls and
// delivers: nothing is missing, nothing comes twice.
func TestTortureKill(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { tortureKill(t, ledger.Options{}, 1, times(12, 500)) })
	t.Run("postgres", func(t *testing.T) { tortureKill(t, ledger.Options{Postgres: pgtest.URL(t)}, 3, times(9, 500)) })
}

func tortureKill(t *testing.T, where ledger.Options, bridges, kills int) {
	t.Parallel()
	server := dovecot.Start(t, dovecot.Options{})
	r := newRig(t, where, imapDelivery(server.Addr, server))
	running := make([]*exec.Cmd, bridges)
	for i := range running {
		running[i] = r.start("run")
	}
	hit := map[backup.EntryState]int{}
	for i := range kills {
		r.sim.Advance(time.Duration(5+r.dice.IntN(20)) * time.Minute)
		if bridges == 1 { // on a slow machine too it shall have begun to work
			for deadline := time.Now().Add(20 * time.Second); r.sim.Calls("Login") <= r.logins && time.Now().Before(deadline); {
				time.Sleep(time.Millisecond)
			}
			r.logins = r.sim.Calls("Login")
		}
		time.Sleep(time.Duration(r.dice.IntN(900)) * time.Millisecond)
		victim := i % bridges
		r.kill(running[victim])
		for state, n := range r.counts() {
			if n > 0 {
				hit[state]++
			}
		}
		running[victim] = r.start("run")
		if (i+1)%50 == 0 {
			t.Logf("%d kills; after them, mails were left in these states: %v", i+1, hit)
		}
	}
	for _, cmd := range running {
		r.kill(cmd)
	}
	until := r.sim.Now()
	r.sim.Advance(4 * time.Hour)
	r.quiet()
	t.Logf("%d kills; after them, mails were left in these states: %v", kills+bridges, hit)
	r.compareDovecot(server, until)
}

// The connection to the mailbox breaks, stalls and answers nonsense in the
// middle of deliveries.
func TestTortureCut(t *testing.T) {
	faults := []faultproxy.Fault{
		{At: faultproxy.BeforeMail, Do: faultproxy.Answer, Text: "NO [UNAVAILABLE] later"},
		{At: faultproxy.BeforeMail, Do: faultproxy.Answer, Text: "BAD what?"},
		{At: faultproxy.BeforeMail, Do: faultproxy.Answer, Text: "NO Request is throttled. Suggested Backoff Time: 50 milliseconds"},
		{At: faultproxy.AfterEnd, Do: faultproxy.Delay, Delay: 300 * time.Millisecond},
	}
	faults = append(faults, faultproxy.Cuts()...)
	cut := func(t *testing.T, where ledger.Options) {
		t.Parallel()
		server := dovecot.Start(t, dovecot.Options{})
		proxy := newProxy(t, faultproxy.IMAP, server.Addr)
		r := newRig(t, where, imapDelivery(proxy.Addr(), server))
		until := r.cutting(proxy, times(10, 500), faults)
		r.compareDovecot(server, until)
	}
	t.Run("imap sqlite", func(t *testing.T) { cut(t, ledger.Options{}) })
	t.Run("imap postgres", func(t *testing.T) { cut(t, ledger.Options{Postgres: pgtest.URL(t)}) })
}

// Plain SMTP can't be asked: a mail may come twice, under the same Message-ID,
// but none is missing.
func TestTortureSMTP(t *testing.T) {
	t.Parallel()
	faults := append(faultproxy.Cuts(), faultproxy.Fault{At: faultproxy.BeforeMail, Do: faultproxy.Answer, Text: "451 4.3.0 later"})
	server := postfix.Start(t)
	proxy := newProxy(t, faultproxy.SMTP, server.Addr)
	r := newRig(t, ledger.Options{}, fmt.Sprintf("  smtp: {address: %s, tls: none, username: ''}", proxy.Addr()))
	until := r.cutting(proxy, times(6, 200), faults)
	var ids []string
	var mails [][]byte
	seen := map[string]bool{}
	doubles := 0
	for _, m := range server.Messages(t, r.counts()[backup.EntrySent]) {
		if seen[m.ID] {
			doubles++
			continue
		}
		seen[m.ID] = true
		ids, mails = append(ids, m.ID), append(mails, m.Bytes)
	}
	t.Logf("%d mails came twice, as plain SMTP has it", doubles)
	r.compare(until, ids, mails)
}

func newProxy(t *testing.T, protocol faultproxy.Protocol, target string) *faultproxy.Proxy {
	t.Helper()
	proxy, err := faultproxy.New(protocol, target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Close)
	return proxy
}

// cutting runs the program until so many mails were struck by faults, then
// lets it finish in peace. It gives the time up to which all must have arrived.
func (r *rig) cutting(proxy *faultproxy.Proxy, cuts int, faults []faultproxy.Fault) (until time.Time) {
	r.Helper()
	proxy.Random(7, 0.4, faults...)
	running := []*exec.Cmd{r.start("run")}
	if r.where.Postgres != "" {
		running = append(running, r.start("run"), r.start("run"))
	}
	told := 0
	for deadline := time.Now().Add(30 * time.Minute); ; {
		r.sim.Advance(10 * time.Minute)
		time.Sleep(300 * time.Millisecond)
		mails, struck := proxy.Counts()
		if struck >= told+50 {
			told = struck
			r.Logf("%d of %d deliveries struck", struck, mails)
		}
		if struck >= cuts {
			break
		}
		if time.Now().After(deadline) {
			r.Fatalf("only %d deliveries were struck\n%s", struck, r.tail())
		}
	}
	for _, cmd := range running {
		r.kill(cmd)
	}
	proxy.Script()
	until = r.sim.Now()
	r.sim.Advance(4 * time.Hour)
	r.quiet()
	mails, struck := proxy.Counts()
	r.Logf("%d deliveries tried, %d struck", mails, struck)
	return until
}

// The disk is full for a while, then the ledger is lost: nothing is missing,
// nothing comes twice.
func TestTortureDisk(t *testing.T) {
	t.Parallel()
	server := dovecot.Start(t, dovecot.Options{})
	r := newRig(t, ledger.Options{}, imapDelivery(server.Addr, server))
	full := func(blocks int) {
		t.Helper()
		cmd := exec.Command("sh", "-c", fmt.Sprintf("ulimit -f %d; trap '' XFSZ; exec %s once -c %s/config.yaml", blocks, r.program, r.dir))
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		var exit *exec.ExitError
		if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		t.Logf("with files of at most %d blocks: %v", blocks, cmd.ProcessState)
	}
	for blocks := 64; blocks < 3000; blocks *= 2 {
		r.sim.Advance(30 * time.Minute)
		full(blocks)
	}
	until := r.sim.Now()
	r.sim.Advance(time.Hour)
	r.quiet()
	r.compareDovecot(server, until)

	before := len(server.Messages(t, "INBOX"))
	if before == 0 {
		t.Fatal("no mails")
	}
	lost, err := filepath.Glob(filepath.Join(r.dir, "ledger.db*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range lost {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	r.quiet()
	seen := map[string]bool{}
	for _, m := range server.Messages(t, "INBOX") {
		if seen[m.ID] {
			t.Errorf("%s came again after the ledger was lost", m.ID)
		}
		seen[m.ID] = true
	}
	t.Logf("%d mails before the ledger was lost, %d after", before, len(seen))
}
