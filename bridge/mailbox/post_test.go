package mailbox

import (
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// post is an SMTP server in this process. What its fields say holds for all
// connections from then on.
type post struct {
	addr string

	mu       sync.Mutex
	mails    []string // what arrived
	conns    int
	mail     error // answers; nil: fine
	rcpt     map[string]error
	data     error
	mechs    []string // that log in backup with secret-pass, or with a token of tokens
	tokens   map[string]bool
	loggedIn int
}

func startPost(t *testing.T, change ...func(*smtp.Server)) *post {
	t.Helper()
	p := &post{rcpt: map[string]error{}}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.conns++
		return &postSession{p}, nil
	}))
	server.Domain = "mail.test"
	server.AllowInsecureAuth = true
	server.ErrorLog = quiet{}
	for _, c := range change {
		c(server)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go server.Serve(ln)
	t.Cleanup(func() { server.Close() })
	p.addr = ln.Addr().String()
	return p
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

func (p *post) set(change func(*post)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(p)
}

func (p *post) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.mails)
}

type postSession struct{ *post }

func (s *postSession) Reset()        {}
func (s *postSession) Logout() error { return nil }
func (s *postSession) Mail(string, *smtp.MailOptions) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mail
}
func (s *postSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rcpt[to]
}
func (s *postSession) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.data == nil {
		s.mails = append(s.mails, string(b))
	}
	return s.data
}
func (s *postSession) AuthMechanisms() []string { return s.mechs }
func (s *postSession) Auth(mech string) (sasl.Server, error) {
	check := func(ok bool) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		if !ok {
			return &smtp.SMTPError{Code: 535, EnhancedCode: smtp.EnhancedCode{5, 7, 3}, Message: "Authentication unsuccessful"}
		}
		s.loggedIn++
		return nil
	}
	switch mech {
	case sasl.Plain:
		return sasl.NewPlainServer(func(_, user, pass string) error { return check(user == "backup" && pass == "secret-pass") }), nil
	case sasl.Login:
		return &loginServer{check: check}, nil
	case xoauth2Name:
		return &xoauth2Server{s.accepts, check}, nil
	}
	return nil, smtp.ErrAuthUnknownMechanism
}

func (s *postSession) accepts(token string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tokens[token]
}

// loginServer asks for the name whether or not it was told.
type loginServer struct {
	check func(bool) error
	step  int
	user  string
}

func (l *loginServer) Next(response []byte) ([]byte, bool, error) {
	l.step++
	switch l.step {
	case 1:
		return []byte("Username:"), false, nil
	case 2:
		l.user = string(response)
		return []byte("password"), false, nil
	}
	return nil, true, l.check(l.user == "backup" && string(response) == "secret-pass")
}

// xoauth2Server tells why in JSON before it refuses, as Google and Microsoft do.
type xoauth2Server struct {
	accepts func(token string) bool
	done    func(bool) error
}

func (x *xoauth2Server) Next(response []byte) ([]byte, bool, error) {
	if response == nil {
		return []byte{}, false, nil
	}
	if len(response) == 0 {
		return nil, false, x.done(false)
	}
	rest, ok := strings.CutPrefix(string(response), "user=backup\x01auth=Bearer ")
	token, end := strings.CutSuffix(rest, "\x01\x01")
	if ok && end && x.accepts(token) {
		return nil, true, x.done(true)
	}
	return []byte(`{"status":"401","schemes":"bearer"}`), false, nil
}
