package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/term"

	"covebridge"
	"covebridge/bridge/config"
)

// person sits at a terminal at which covebridge was started.
type person struct {
	t    *testing.T
	tty  *os.File
	cmd  *exec.Cmd
	seen chan []byte
	read []byte // what stands on the screen behind the last answer
	all  []byte
}

// atTerminal starts covebridge in a folder.
func atTerminal(t *testing.T, dir string, args ...string) *person {
	t.Helper()
	p := &person{t: t, cmd: exec.Command(program(t), args...), seen: make(chan []byte)}
	p.cmd.Dir = dir
	p.cmd.Env = append(os.Environ(), "TZ=Europe/Lisbon", "COVEBRIDGE_CONFIG=", "GORACE=atexit_sleep_ms=0", "NO_COLOR=1")
	tty, err := pty.StartWithSize(p.cmd, &pty.Winsize{Rows: 50, Cols: 200})
	if err != nil {
		t.Fatal(err)
	}
	p.tty = tty
	go func() {
		defer close(p.seen)
		for {
			chunk := make([]byte, 4096)
			n, err := tty.Read(chunk)
			if n > 0 {
				p.seen <- chunk[:n]
			}
			if err != nil { // EIO: whoever had it open is gone
				return
			}
		}
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // it has ended if all went well
		for range p.seen {
		}
		_ = p.cmd.Wait()
		tty.Close()
	})
	return p
}

// program is this test's own, called by the name of what it shall be.
func program(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "covebridge")
	if err := os.Symlink(self, name); err != nil {
		t.Fatal(err)
	}
	return name
}

// sees waits until the screen shows something.
func (p *person) sees(pattern string) {
	p.t.Helper()
	wanted := regexp.MustCompile(pattern)
	for late := time.After(30 * time.Second); ; {
		if at := wanted.FindIndex(p.read); at != nil {
			p.read = p.read[at[1]:]
			return
		}
		select {
		case chunk, open := <-p.seen:
			if !open {
				p.t.Fatalf("it ended, and did not show %s:\n%s", pattern, p.all)
			}
			p.read, p.all = append(p.read, chunk...), append(p.all, chunk...)
		case <-late:
			p.t.Fatalf("it does not show %s:\n%s", pattern, p.all)
		}
	}
}

// answers waits for a question and types.
func (p *person) answers(question, answer string) {
	p.t.Helper()
	p.sees(regexp.QuoteMeta(question) + `[^\n]*: $`)
	p.types(answer + "\r")
}

func (p *person) types(keys string) {
	p.t.Helper()
	if _, err := io.WriteString(p.tty, keys); err != nil {
		p.t.Fatal(err)
	}
}

// ends waits for the end and gives the exit status.
func (p *person) ends() int {
	for chunk := range p.seen {
		p.all = append(p.all, chunk...)
	}
	var exit *exec.ExitError
	if err := p.cmd.Wait(); err != nil && !errors.As(err, &exit) {
		p.t.Fatal(err)
	}
	return p.cmd.ProcessState.ExitCode()
}

// simulator and IMAP server, by their addresses.
func ends(t *testing.T) (sim, imap string) {
	t.Helper()
	t.Setenv("PATH", filepath.Dir(program(t))+string(filepath.ListSeparator)+os.Getenv("PATH"))
	sim, stop, err := startSim("--plain", "--devices", "4")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	ctx, stopMailbox := context.WithCancel(context.Background())
	t.Cleanup(stopMailbox)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := serveMailbox(ctx, ln); err != nil {
		t.Fatal(err)
	}
	return sim, ln.Addr().String()
}

// TestInit: a person who mistypes both passwords at first comes to a
// configuration that works, and no password is ever shown.
func TestInit(t *testing.T) {
	sim, imap := ends(t)
	dir := t.TempDir()
	p := atTerminal(t, dir, "init")
	p.answers("Address of its API [https://api.backup.management/jsonapi]", "http://"+sim+"/jsonapi")
	p.answers("Name of the API user", "api-user")
	p.answers("Its token, not shown", "wrong-token")
	p.answers("Customer's name", "")
	p.sees(`FAILED +cove +log in and read a device: .*refused`)
	p.answers("Answer again?", "")
	p.answers("Address of its API [http://"+sim+"/jsonapi]", "")
	p.answers("Name of the API user [api-user]", "")
	p.answers("Its token, not shown [as before]", "covesim")
	p.answers("Customer's name", "")
	p.sees(`passed +cove +msp: logged in as api-user .*, 4 devices`)

	p.answers("Address of the mailbox", "no address")
	p.sees("→ a mail address such as backups@msp.example is expected")
	p.answers("Address of the mailbox", "backups@msp.example")
	p.answers("Their sender, by which Backupchecks knows them [cove@msp.example]", "")
	p.answers("Time zone of the times in them [Europe/Lisbon]", "Mars/Olympus")
	p.sees("→ a time zone such as Europe/Amsterdam or UTC is expected")
	p.answers("Time zone", "Europe/Lisbon")

	p.answers("Way there: imap or smtp [imap]", "")
	p.answers("Server", imap)
	p.answers("Encryption: tls, starttls or none [none]", "")
	p.answers("Login by: password or oauth2 [password]", "")
	p.answers("User name [backups@msp.example]", "demo")
	p.answers("Password, not shown", "wrong-password")
	p.answers("Folder [INBOX]", "")
	p.sees(`FAILED +mailbox +imap .*connect and log in`)
	p.sees("check username and password")
	p.answers("Answer again?", "yes")
	for _, question := range []string{"Way there", "Server", "Encryption", "Login by", "User name [demo]"} {
		p.answers(question, "")
	}
	p.answers("Password, not shown [as before]", "demo")
	p.answers("Folder", "")
	p.sees(`passed +mailbox +imap .*logged in as demo`)
	p.sees(`config.yaml is written`)
	p.sees(`passed +settings +config.yaml is complete`)
	p.sees(`passed +cove msp +the filters let all 4 devices through`)
	p.sees(`passed +mailbox +UIDPLUS`)
	if status := p.ends(); status != 0 {
		t.Errorf("exit status %d:\n%s", status, p.all)
	}
	for _, secret := range []string{"wrong-token", "covesim", "wrong-password"} {
		if bytes.Contains(p.all, []byte(secret)) {
			t.Errorf("%s is shown:\n%s", secret, p.all)
		}
	}

	path := filepath.Join(dir, "config.yaml")
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	comments := regexp.MustCompile(`(?m)# .*$`)
	want := comments.FindAllString(string(covebridge.ExampleConfig), -1)
	if got := comments.FindAllString(string(text), -1); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("comments:\n%s", strings.Join(got, "\n"))
	}
	c, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(c.Cove[0].Username, " ", string(c.Cove[0].Password), " ", c.Mail.From, c.Mail.To, c.Mail.Timezone, " ", c.Delivery.IMAP.Address == imap, " ", string(c.Delivery.IMAP.Password))
	if want := "api-user covesim cove@msp.example[backups@msp.example]Europe/Lisbon true demo"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestInitBrokenOff: Ctrl-C, whatever is being asked, leaves the terminal as it
// was and writes nothing.
func TestInitBrokenOff(t *testing.T) {
	for _, after := range []int{0, 1, 2} {
		dir := t.TempDir()
		p := atTerminal(t, dir, "init")
		before, err := term.GetState(int(p.tty.Fd()))
		if err != nil {
			t.Fatal(err)
		}
		for _, question := range []string{"Address of its API", "Name of the API user"}[:after] {
			p.answers(question, "http://127.0.0.1:1/jsonapi")
		}
		p.sees(`: $`)
		p.types("\x03")
		p.sees("broken off, nothing is written")
		if now, err := term.GetState(int(p.tty.Fd())); err != nil || *now != *before {
			t.Errorf("the terminal is left in another mode: %v", err)
		}
		if status := p.ends(); status != 1 {
			t.Errorf("exit status %d", status)
		}
		if left, _ := filepath.Glob(filepath.Join(dir, "*")); left != nil {
			t.Errorf("%s is left", left)
		}
	}
}

// TestInitThere: a configuration that somebody wrote is replaced only if they
// say so; it keeps its group's right to read.
func TestInitThere(t *testing.T) {
	sim, _ := ends(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(path, []byte("mine: true\n"), 0o640); err != nil {
		t.Fatal(err)
	}
	p := atTerminal(t, dir, "init")
	p.answers("config.yaml is there already. Replace it?: yes or no [no]", "perhaps")
	p.sees("→ yes or no is expected")
	p.answers("Replace it?", "")
	p.sees("config.yaml is left as it is")
	if status := p.ends(); status != 2 {
		t.Errorf("exit status %d", status)
	}
	if text, err := os.ReadFile(path); string(text) != "mine: true\n" {
		t.Errorf("it holds %s (%v)", text, err)
	}

	p = atTerminal(t, dir, "init")
	p.answers("Replace it?", "yes")
	answers := [][2]string{
		{"Address", "http://" + sim + "/jsonapi"}, {"Name", "api-user"}, {"token", "wrong"}, {"Customer", ""},
		{"Answer again?", "no"}, {"Address", "a@msp.example, b@msp.example"}, {"sender", ""}, {"Time zone", ""},
		{"Way", "smtp"}, {"Server", "127.0.0.1:1"}, {"Encryption", ""}, {"Login by", "none"}, {"Answer again?", "no"},
	}
	for _, a := range answers {
		p.answers(a[0], a[1])
	}
	p.sees("config.yaml is written")
	if status := p.ends(); status != 1 {
		t.Errorf("exit status %d: the check must fail:\n%s", status, p.all)
	}
	c, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if c.Delivery.IMAP != nil || c.Delivery.SMTP.Address != "127.0.0.1:1" || len(c.Mail.To) != 2 {
		t.Errorf("%+v %+v", c.Mail, c.Delivery)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// TestInitSilent: with --non-interactive nothing is asked.
func TestInitSilent(t *testing.T) {
	dir := t.TempDir()
	p := atTerminal(t, dir, "init", "--non-interactive")
	p.sees("config.yaml is written. Fill in the login and the mailbox")
	if status := p.ends(); status != 0 {
		t.Errorf("exit status %d", status)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "config.yaml")); !bytes.Equal(text, covebridge.ExampleConfig) {
		t.Errorf("it holds %s (%v)", text, err)
	}
}
