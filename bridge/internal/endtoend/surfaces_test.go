package endtoend

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"time"

	"covebridge/bridge/finding"
)

// daemon is a covebridge that runs, with its page.
type daemon struct {
	*site
	log bytes.Buffer
	cmd *exec.Cmd
}

// start starts the daemon, with more settings.
func (s *site) start(settings string) *daemon {
	s.Helper()
	d := &daemon{site: s}
	s.settings = strings.NewReplacer("listen: off", "listen: "+s.page, "every: 0", "every: 24h").Replace(s.settings)
	s.configure(settings)
	d.cmd = s.command("run")
	d.cmd.Stderr = &d.log
	if err := d.cmd.Start(); err != nil {
		s.Fatal(err)
	}
	return d
}

// end ends it as systemd does, and gives what it logged.
func (d *daemon) end() string {
	_ = d.cmd.Process.Signal(syscall.SIGTERM)
	_ = d.cmd.Wait()
	return d.log.String()
}

// output is what a call of the program writes, whatever its exit status is.
func (s *site) output(args ...string) (string, error) {
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Env = s.dir, s.env
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) && (len(out) > 0 || len(exit.Stderr) == 0) {
		return string(out), nil // something is Failed
	}
	return string(out), err
}

// told gives the finding of that name as `status --json` tells it.
func (s *site) told(name string) (f finding.Finding, err error) {
	out, err := s.output("status", "--json")
	if err != nil {
		return f, err
	}
	var all struct{ Findings []finding.Finding }
	if err := json.Unmarshal([]byte(out), &all); err != nil {
		return f, err
	}
	for _, f := range all.Findings {
		if f.Name == name {
			return f, nil
		}
	}
	return f, fmt.Errorf("status --json has no %s among %+v", name, all.Findings)
}

var (
	space = regexp.MustCompile(`\s+`)
	tag   = regexp.MustCompile(`<[^>]*>`)
)

// line is a text whose lines were broken, in one.
func line(text string) string { return space.ReplaceAllString(text, " ") }

// get reads a page as people see it.
func (d *daemon) get(path string) (string, error) {
	answer, err := http.Get("http://" + d.page + path)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return string(text), err
}

// heartbeat gives the newest heartbeat mail that the ledger has.
func (s *site) heartbeat() (string, error) {
	out, err := s.output("history", "covebridge", "--json")
	if err != nil {
		return "", err
	}
	var all []struct{ Run, Kind string }
	if err := json.Unmarshal([]byte(out), &all); err != nil {
		return "", err
	}
	for _, r := range all {
		if r.Kind == "heartbeat" {
			return s.output("show", r.Run)
		}
	}
	return "", errors.New("no heartbeat")
}

// surface is a place where an operator sees what is wrong.
type surface string

const (
	onPage      surface = "page"
	inStatus    surface = "status"
	inMetrics   surface = "metrics"
	inHeartbeat surface = "heartbeat"
)

// shows tells what a surface does not show of a finding.
func (d *daemon) shows(where surface, f finding.Finding) error {
	var text string
	var err error
	wanted := []string{line(f.What), line(f.Remedy)}
	switch where {
	case onPage:
		text, err = d.get("/")
		text = html.UnescapeString(tag.ReplaceAllString(text, ""))
		wanted[1] = strings.ReplaceAll(wanted[1], "`", "") // what is to be typed has a type of its own
	case inStatus:
		text, err = d.output("status")
	case inMetrics:
		text, err = d.get("/metrics")
		wanted = []string{fmt.Sprintf(`covebridge_findings{name="%s",severity="%s"} 1`, f.Name, f.Severity)}
	case inHeartbeat:
		text, err = d.heartbeat()
	}
	if err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	text = line(text)
	for _, w := range wanted {
		if w == "" || !strings.Contains(text, w) {
			return fmt.Errorf("%s has no %q:\n%s", where, w, text)
		}
	}
	return nil
}

// waitFor waits until something is so; the error tells what is missing.
func (d *daemon) waitFor(missing func() error) {
	d.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(300 * time.Millisecond) {
		err := missing()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			d.Errorf("%v\nlog:\n%s", err, d.end())
			return
		}
	}
}
