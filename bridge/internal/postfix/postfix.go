// Package postfix runs a real Postfix for tests: an instance of its own, with
// its own configuration and queue, on a free port, that delivers into a
// Maildir. Postfix needs root.
package postfix

import (
	"bytes"
	"net"
	"net/mail"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"covebridge/bridge/internal/freeport"
	"covebridge/bridge/internal/realtest"
	"covebridge/bridge/internal/testcert"
)

// Addresses that the server knows beside everything else at its domain, which
// it accepts.
const (
	To      = "backups@mail.test" // arrives in the Maildir
	Later   = "later@mail.test"   // is put off: 450
	Never   = "never@mail.test"   // is refused: 550
	Barred  = "barred@msp.test"   // as the sender is refused: 554
	MaxSize = 100_000             // bytes in a mail; larger ones are refused: 552
)

// Server is a Postfix. It is stopped when the test ends.
type Server struct {
	Addr string        // SMTP, with STARTTLS offered; 127.0.0.1:port
	Cert testcert.Cert // for 127.0.0.1 and localhost

	t     testing.TB
	dir   string
	ended chan struct{}
}

// Message is a mail that arrived.
type Message struct {
	ID    string // Message-ID without the angle brackets
	Bytes []byte
}

// Start starts a server and waits until it answers. Without an installed
// Postfix the test is skipped; so it is for users other than root.
func Start(t testing.TB) *Server {
	t.Helper()
	binary := realtest.Need(t, "postfix", "postfix")[0]
	if os.Getuid() != 0 {
		skip := t.Skip
		if os.Getenv("COVEBRIDGE_NO_SKIP") == "1" {
			skip = t.Fatal
		}
		skip("Postfix can be started by root only")
	}
	s := &Server{Addr: freeport.Reserve(t), Cert: testcert.New(t, time.Time{}, "127.0.0.1", "localhost"), t: t}
	// Not t.TempDir: its path is too long for Unix sockets, and closed to other users.
	var err error
	if s.dir, err = os.MkdirTemp("", "postfix"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(s.dir) })
	s.configure()
	s.start(binary)
	return s
}

func (s *Server) configure() {
	s.t.Helper()
	nobody, err := user.Lookup("nobody")
	if err != nil {
		s.t.Fatal(err)
	}
	uid, _ := strconv.Atoi(nobody.Uid)
	gid, _ := strconv.Atoi(nobody.Gid)
	fill := strings.NewReplacer("DIR", s.dir, "ADDR", s.Addr, "UID", nobody.Uid, "GID", nobody.Gid,
		"MAXSIZE", strconv.Itoa(MaxSize), "LATER", Later, "NEVER", Never, "BARRED", Barred)
	for _, d := range []string{"etc", "queue", "data", "mail"} {
		if err := os.Mkdir(filepath.Join(s.dir, d), 0o755); err != nil {
			s.t.Fatal(err)
		}
	}
	for name, content := range map[string]string{
		"etc/main.cf":   fill.Replace(mainCF),
		"etc/master.cf": fill.Replace(masterCF),
		"etc/cert.pem":  string(s.Cert.KeyPEM) + string(s.Cert.CertPEM),
	} {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(content), 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
	owner, err := user.Lookup("postfix")
	if err != nil {
		s.t.Fatal(err)
	}
	owned, _ := strconv.Atoi(owner.Uid)
	for _, err := range []error{
		os.Chmod(s.dir, 0o755),
		os.Chown(filepath.Join(s.dir, "data"), owned, -1),
		os.Chown(filepath.Join(s.dir, "mail"), uid, gid),
	} {
		if err != nil {
			s.t.Fatal(err)
		}
	}
}

const mainCF = `
compatibility_level = 3.6
queue_directory = DIR/queue
data_directory = DIR/data
maillog_file = DIR/log
maillog_file_prefixes = DIR
myhostname = mail.test
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
local_recipient_maps =
virtual_mailbox_domains = mail.test
virtual_mailbox_base = DIR/mail
virtual_mailbox_maps = static:all/
virtual_uid_maps = static:UID
virtual_gid_maps = static:GID
virtual_minimum_uid = 1
message_size_limit = MAXSIZE
smtpd_tls_chain_files = DIR/etc/cert.pem
smtpd_tls_security_level = may
smtpd_delay_reject = no
smtpd_sender_restrictions = check_sender_access inline:{{BARRED=554 5.7.1 sender not welcome}}
smtpd_recipient_restrictions = check_recipient_access inline:{{LATER=450 4.2.0 come back later} {NEVER=550 5.1.1 no such user}}, reject_unauth_destination
`

const masterCF = `
ADDR inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
`

func (s *Server) start(binary string) {
	s.t.Helper()
	cmd := exec.Command(binary, "-c", filepath.Join(s.dir, "etc"), "start-fg")
	output, err := os.Create(filepath.Join(s.dir, "output"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer output.Close()
	cmd.Stdout, cmd.Stderr = output, output
	if err := cmd.Start(); err != nil {
		s.t.Fatalf("start postfix: %v", err)
	}
	s.ended = make(chan struct{})
	go func() {
		cmd.Wait()
		close(s.ended)
	}()
	s.t.Cleanup(s.kill)
	for range 500 {
		if s.greets() {
			return
		}
		select {
		case <-s.ended:
			s.t.Fatalf("postfix ended at once:\n%s", s.Log())
		case <-time.After(20 * time.Millisecond):
		}
	}
	s.t.Fatalf("postfix does not answer at %s:\n%s", s.Addr, s.Log())
}

// kill ends the server with all its processes. Its master leads a group of
// their own, and says in a file which.
func (s *Server) kill() {
	pid, err := os.ReadFile(filepath.Join(s.dir, "queue/pid/master.pid"))
	if err != nil {
		s.t.Errorf("stop postfix: %v", err)
		return
	}
	master, err := strconv.Atoi(strings.TrimSpace(string(pid)))
	if err != nil || master <= 1 {
		s.t.Errorf("stop postfix: no pid in %q", pid)
		return
	}
	syscall.Kill(-master, syscall.SIGKILL)
	<-s.ended
}

func (s *Server) greets() bool {
	conn, err := net.DialTimeout("tcp", s.Addr, time.Second)
	if err != nil {
		return false
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(5 * time.Second))
	buf := make([]byte, 4)
	n, _ := conn.Read(buf)
	return string(buf[:n]) == "220 "
}

// Log is what the server logged so far.
func (s *Server) Log() string {
	output, _ := os.ReadFile(filepath.Join(s.dir, "output"))
	log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
	return string(output) + string(log)
}

// Messages waits until at least so many mails arrived, and gives all there are.
func (s *Server) Messages(t testing.TB, atLeast int) []Message {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		files, err := filepath.Glob(filepath.Join(s.dir, "mail/all/new/*"))
		if err != nil {
			t.Fatal(err)
		}
		if len(files) >= atLeast {
			return read(t, files)
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d mails arrived, want %d:\n%s", len(files), atLeast, s.Log())
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func read(t testing.TB, files []string) []Message {
	t.Helper()
	var messages []Message
	for _, f := range files {
		content, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := mail.ReadMessage(bytes.NewReader(content))
		if err != nil {
			t.Fatalf("read %s: %v", f, err)
		}
		messages = append(messages, Message{strings.Trim(parsed.Header.Get("Message-ID"), "<>"), content})
	}
	return messages
}
