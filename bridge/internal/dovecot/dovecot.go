// Package dovecot runs a real Dovecot for tests: an instance of its own, with
// its own configuration, on free ports, as an ordinary user.
package dovecot

import (
	"net"
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

// Options change what Start does. The zero value is a server with an empty mailbox.
type Options struct {
	// Config is put at the end of dovecot.conf.
	Config string
}

// Server is a Dovecot. It is stopped when the test ends.
type Server struct {
	Addr     string // IMAP, with STARTTLS offered; 127.0.0.1:port
	TLSAddr  string // IMAP with TLS from the start
	User     string
	Password string
	Cert     testcert.Cert // for 127.0.0.1 and localhost

	t      testing.TB
	dir    string
	binary string
	asUser *syscall.Credential // nil: as who runs the test
	cmd    *exec.Cmd           // nil: stopped
	ended  chan struct{}       // closed when cmd has ended
}

// Start starts a server and waits until it answers. Without an installed
// Dovecot 2.3 the test is skipped.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	binary := realtest.Need(t, "dovecot-imapd", "dovecot", "imap-login")[0]
	version, err := exec.Command(binary, "--version").Output()
	if err != nil {
		t.Fatalf("dovecot --version: %v", err)
	}
	if !strings.HasPrefix(string(version), "2.3.") {
		realtest.Need(t, "dovecot-imapd of version 2.3, not "+strings.TrimSpace(string(version)), "dovecot-2.3")
	}
	s := &Server{
		Addr: freeport.Reserve(t), TLSAddr: freeport.Reserve(t), User: "backup", Password: "dovecot-secret",
		Cert: testcert.New(t, time.Time{}, "127.0.0.1", "localhost"),
		t:    t, binary: binary,
	}
	// Not t.TempDir: its path is too long for Unix sockets, and closed to other users.
	if s.dir, err = os.MkdirTemp("", "dovecot"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(s.dir) })
	s.configure(o)
	s.Start()
	t.Cleanup(s.Kill)
	return s
}

// configure writes the configuration for the user that the server will be:
// who runs the test, or nobody in place of root, whose mails Dovecot refuses
// to touch.
func (s *Server) configure(o Options) {
	s.t.Helper()
	me, err := user.Current()
	if err != nil {
		s.t.Fatal(err)
	}
	if me.Uid == "0" {
		if me, err = user.Lookup("nobody"); err != nil {
			s.t.Fatal(err)
		}
	}
	group, err := user.LookupGroupId(me.Gid)
	if err != nil {
		s.t.Fatal(err)
	}
	port := func(addr string) string { _, p, _ := net.SplitHostPort(addr); return p }
	files := map[string]string{
		"dovecot.conf": strings.NewReplacer(
			"DIR", s.dir, "USER", me.Username, "GROUP", group.Name,
			"IMAPSPORT", port(s.TLSAddr), "IMAPPORT", port(s.Addr),
		).Replace(config) + o.Config,
		"users":    s.User + ":{PLAIN}" + s.Password + "::::::\n",
		"cert.pem": string(s.Cert.CertPEM),
		"key.pem":  string(s.Cert.KeyPEM),
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(content), 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
	if os.Getuid() == 0 {
		uid, _ := strconv.Atoi(me.Uid)
		gid, _ := strconv.Atoi(me.Gid)
		s.asUser = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		for name := range files {
			if err := os.Chown(filepath.Join(s.dir, name), uid, gid); err != nil {
				s.t.Fatal(err)
			}
		}
		if err := os.Chown(s.dir, uid, gid); err != nil {
			s.t.Fatal(err)
		}
	}
}

const config = `
protocols = imap
listen = 127.0.0.1
base_dir = DIR/run
state_dir = DIR/state
log_path = DIR/log
default_internal_user = USER
default_internal_group = GROUP
default_login_user = USER
first_valid_uid = 1
mail_home = DIR/home/%u
mail_location = maildir:~/Maildir
mail_fsync = always
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
ssl = yes
ssl_cert = <DIR/cert.pem
ssl_key = <DIR/key.pem
passdb {
  driver = passwd-file
  args = DIR/users
}
userdb {
  driver = static
  args = uid=USER gid=GROUP
}
namespace inbox {
  inbox = yes
  separator = /
}
service anvil {
  chroot =
}
service imap-login {
  chroot =
  inet_listener imap {
    port = IMAPPORT
  }
  inet_listener imaps {
    port = IMAPSPORT
    ssl = yes
  }
}
`
