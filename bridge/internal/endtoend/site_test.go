package endtoend

import (
	"errors"
	"flag"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"covebridge/bridge/covesim"
	"covebridge/bridge/internal/freeport"
	"covebridge/bridge/internal/realtest"
)

var program string // the path of the built program

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "covebridge")
	if err != nil {
		panic(err)
	}
	program = filepath.Join(dir, "covebridge")
	end := func(status int) {
		os.RemoveAll(dir)
		os.Exit(status)
	}
	if flag.Parse(); !testing.Short() {
		build := exec.Command("go", "build", "-o", program, "covebridge/cmd/covebridge")
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			end(1)
		}
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(end))
}

// noon is the first reading of the simulator's clock. It is past: some servers
// take no mail from the future.
var noon = time.Date(2025, 11, 24, 12, 0, 0, 0, time.UTC)

// site is one installation: a simulator, a configuration, and a ledger.
type site struct {
	testing.TB
	sim      *covesim.Sim
	dir      string
	settings string
	env      []string
	page     string // address of a daemon's
}

// newSite sets up the program to deliver as the configuration says.
func newSite(t testing.TB, delivery string, without covesim.Quirk) *site {
	t.Helper()
	s := bareSite(t, covesim.Options{Seed: 1, Devices: 30, Start: noon, Without: without})
	s.configure(delivery)
	if err := os.Mkdir(filepath.Join(s.dir, "mails"), 0o755); err != nil {
		t.Fatal(err)
	}
	return s
}

// bareSite has settings, but no configuration yet.
func bareSite(t testing.TB, o covesim.Options) *site {
	t.Helper()
	realtest.Long(t, "it runs the built program")
	s := &site{TB: t, dir: t.TempDir(), sim: covesim.New(o), page: freeport.Reserve(t)}
	server := httptest.NewServer(s.sim)
	t.Cleanup(server.Close)
	s.env = os.Environ()
	s.settings = fmt.Sprintf(`cove:
  - name: sim
    url: %[1]s/jsonapi
    reporting_url: %[1]s/reporting_api
    node_url: %[1]s/repserv_json
    username: api-user
    password: covesim
poll: {rate: 1000}
http: {listen: off}
mail: {from: Cove <cove@msp.example>, to: [backups@mail.test], timezone: UTC}
silence: {server: 0, m365: 0}
heartbeat: {every: 0}
`, server.URL)
	return s
}

// configure adds lines to the settings that all tests have.
func (s *site) configure(lines string) {
	s.Helper()
	s.write("config.yaml", s.settings+lines)
}

func (s *site) write(name, content string) (path string) {
	s.Helper()
	path = filepath.Join(s.dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		s.Fatal(err)
	}
	return path
}

// trust makes the certificate count as one of the system's.
func (s *site) trust(pem []byte) {
	s.Helper()
	s.env = append(s.env, "SSL_CERT_FILE="+s.write("ca.pem", string(pem)))
}

// command is a call of the program, in the folder of its configuration.
func (s *site) command(verb string) *exec.Cmd {
	cmd := exec.Command(program, verb)
	cmd.Dir, cmd.Env = s.dir, s.env
	return cmd
}

// run calls the program, which has to end with this status, and gives what it wrote.
func (s *site) run(status int, cmd *exec.Cmd) (out, errs string) {
	s.Helper()
	var o, e strings.Builder
	cmd.Stdout, cmd.Stderr = &o, &e
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		s.Fatal(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != status {
		s.Fatalf("%s ended with %d, want %d:\n%s%s", cmd.Args, got, status, o.String(), e.String())
	}
	return o.String(), e.String()
}

var deliveredLine = regexp.MustCompile(`(?m)^(\d+) mails? delivered(?:, \d+ in the mailbox already)?$`)

// once polls and delivers, and gives how many mails were delivered.
func (s *site) once() (sent int) {
	s.Helper()
	out, _ := s.run(0, s.command("once"))
	found := deliveredLine.FindStringSubmatch(out)
	if found == nil {
		s.Fatalf("once wrote %q", out)
	}
	_, _ = fmt.Sscan(found[1], &sent)
	return sent
}

// folder gives the mails of a directory delivery.
func (s *site) folder(name string) (all [][]byte) {
	s.Helper()
	files, _ := filepath.Glob(filepath.Join(s.dir, name, "*.eml"))
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			s.Fatal(err)
		}
		all = append(all, raw)
	}
	return all
}

// agree checks that the mails of a first start at noon, and of all that
// followed, are those of the runs that ended.
func (s *site) agree(mails [][]byte) {
	s.Helper()
	if err := agree(s.sim, noon.Add(-24*time.Hour), mails); err != nil {
		s.Fatal(err)
	}
}

// rule checks that Backupchecks' rule reads what the mails tell.
func (s *site) rule(mails [][]byte) {
	s.Helper()
	realtest.Need(s.TB, "python3", "python3")
	out, _ := s.run(0, s.command("parser-rule"))
	folder := s.TempDir()
	for i, m := range mails {
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("%d.eml", i)), m, 0o600); err != nil {
			s.Fatal(err)
		}
	}
	if err := readByBackupchecks(s.write("rule.py", out), folder); err != nil {
		s.Error(err)
	}
}
