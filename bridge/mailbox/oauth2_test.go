package mailbox

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-sasl"
)

// tokens is a token endpoint that numbers its tokens.
type tokens struct {
	url string

	mu      sync.Mutex
	last    url.Values // what was asked with
	issued  int
	expires int    // seconds; 0: not said
	failure string // JSON of a refusal; empty: none
}

func startTokens(t *testing.T) *tokens {
	t.Helper()
	s := &tokens{expires: 3600}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		r.ParseForm()
		s.last = r.PostForm
		w.Header().Set("Content-Type", "application/json")
		if s.failure != "" {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, s.failure)
			return
		}
		s.issued++
		json.NewEncoder(w).Encode(map[string]any{"access_token": fmt.Sprintf("token-%d", s.issued), "token_type": "Bearer", "expires_in": s.expires})
	}))
	t.Cleanup(server.Close)
	s.url = server.URL + "/oauth2/v2.0/token"
	return s
}

func (s *tokens) source() *ClientCredentials {
	return NewClientCredentials(OAuth2Options{Tenant: "msp.example", ClientID: "app-id", ClientSecret: "app-secret~&+", TokenURL: s.url})
}

func TestTokens(t *testing.T) {
	s := startTokens(t)
	source := s.source()
	get := func(refused, want string) {
		t.Helper()
		if token, err := source.Token(t.Context(), refused); token != want || err != nil {
			t.Errorf("got %q, %v; want %q", token, err, want)
		}
	}
	get("", "token-1")
	get("", "token-1")
	get("token-0", "token-1") // another one was refused
	get("token-1", "token-2")
	source.renewAt = time.Now() // about to expire
	get("", "token-3")
	for key, want := range map[string]string{
		"grant_type": "client_credentials", "client_id": "app-id", "client_secret": "app-secret~&+",
		"scope": "https://outlook.office365.com/.default",
	} {
		if got := s.last.Get(key); got != want {
			t.Errorf("%s: %q, want %q", key, got, want)
		}
	}
	if got := NewClientCredentials(OAuth2Options{Tenant: "msp.example"}).config.TokenURL; got != "https://login.microsoftonline.com/msp.example/oauth2/v2.0/token" {
		t.Errorf("token URL %s", got)
	}
}

func TestTokenRenewal(t *testing.T) {
	now := day
	for life, want := range map[time.Duration]time.Duration{
		time.Hour: 55 * time.Minute, 10 * time.Minute: 7*time.Minute + 30*time.Second, time.Minute: 45 * time.Second,
	} {
		if got := renewal(now, now.Add(life)).Sub(now); got != want {
			t.Errorf("life of %v: after %v, want %v", life, got, want)
		}
	}
	if got := renewal(now, time.Time{}).Sub(now); got != 30*time.Minute {
		t.Errorf("life not told: after %v", got)
	}
}

func TestTokenErrors(t *testing.T) {
	s := startTokens(t)
	for failure, hint := range map[string]string{
		`{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided. app-secret~&+"}`: hintSecret,
		`{"error":"invalid_client","error_description":"AADSTS7000222: The provided client secret keys are expired."}`:  hintSecret,
		`{"error":"invalid_client"}`: hintSecret,
		`{"error":"unauthorized_client","error_description":"AADSTS700016: Application with identifier 'app-id' was not found"}`: hintApp,
		`{"error":"unauthorized_client"}`: hintApp,
		`{"error":"invalid_request","error_description":"AADSTS90002: Tenant 'msp.example' not found."}`:                                hintTenant,
		`{"error":"invalid_scope","error_description":"AADSTS70011: The provided value for the input parameter 'scope' is not valid."}`: hintScope,
		`<html>proxy says no, app-secret~&+</html>`: "",
		`{"error":"temporarily_unavailable"}`:       "",
	} {
		s.mu.Lock()
		s.failure = failure
		s.mu.Unlock()
		_, err := s.source().Token(t.Context(), "")
		e := wantClass(t, err, Unavailable)
		if e.Hint != hint || e.Text == "" || e.RetryAfter == 0 {
			t.Errorf("%s: %+v", failure, e)
		}
		for ; err != nil; err = unwrap(err) {
			if strings.Contains(err.Error(), "app-secret") {
				t.Errorf("the error holds the secret: %v", err)
			}
		}
	}
	// A redirect would carry the secret to who knows where.
	elsewhere := httptest.NewServer(http.RedirectHandler(s.url, http.StatusTemporaryRedirect))
	defer elsewhere.Close()
	source := NewClientCredentials(OAuth2Options{ClientID: "app-id", ClientSecret: "app-secret~&+", TokenURL: elsewhere.URL})
	if _, err := source.Token(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "redirects") {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.source().Token(ctx, "")
	wantClass(t, err, Unavailable)
}

func unwrap(err error) error {
	if u, ok := err.(interface{ Unwrap() error }); ok {
		return u.Unwrap()
	}
	return nil
}

// tokenSession wants XOAUTH2 and nothing else.
type tokenSession struct {
	wholeSession
	accepts func(string) bool
}

func (s tokenSession) AuthenticateMechanisms() []string { return []string{xoauth2Name} }
func (s tokenSession) Authenticate(mech string) (sasl.Server, error) {
	return &xoauth2Server{s.accepts, func(ok bool) error {
		if !ok {
			return imapserver.ErrAuthFailed
		}
		return s.SessionIMAP4rev2.Login("backup", "secret-pass")
	}}, nil
}

func TestXOAUTH2(t *testing.T) {
	accepted := ""
	var mu sync.Mutex
	accept := func(token string) {
		mu.Lock()
		defer mu.Unlock()
		accepted = token
	}
	accepts := func(token string) bool {
		mu.Lock()
		defer mu.Unlock()
		return token == accepted
	}
	imapServer := startMemoryWith(t, func(s wholeSession) imapserver.Session { return tokenSession{s, accepts} })
	smtpServer := startPost(t)
	smtpServer.set(func(p *post) { p.mechs = []string{xoauth2Name} })

	for name, deliver := range map[string]func(TokenSource) (mailbox, string){
		"imap": func(source TokenSource) (mailbox, string) {
			return newTestIMAP(t, imapServer.addr, func(o *IMAPOptions) { o.Auth, o.Password, o.Token = "xoauth2", "", source }), hintIMAPSteps
		},
		"smtp": func(source TokenSource) (mailbox, string) {
			return newTestSMTP(t, smtpServer.addr, func(o *SMTPOptions) { o.Auth, o.Username, o.Token = "xoauth2", "backup", source }), hintSMTPSteps
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := startTokens(t)
			set := func(token string) {
				accept(token)
				smtpServer.set(func(p *post) { p.tokens = map[string]bool{token: true} })
			}
			m, hint := deliver(s.source())
			set("token-1")
			mustDeliver(t, m, testMail("a@covebridge", 300))
			// The server takes the first no more: it is renewed, once.
			m.Close()
			source := s.source()
			m, _ = deliver(source)
			set("token-3")
			mustDeliver(t, m, testMail("b@covebridge", 300))
			if s.issued != 3 {
				t.Errorf("%d tokens, want 3", s.issued)
			}
			// It takes none: a step is missing.
			m.Close()
			m, _ = deliver(source)
			set("none")
			var b begun
			_, err := deliverOne(t.Context(), m, testMail("c@covebridge", 300), b.begin)
			e := wantClass(t, err, Unavailable)
			if e.Hint != hint || !strings.Contains(e.Text, `"status":"401"`) || strings.Contains(err.Error(), "token-") || len(b.marks) != 0 {
				t.Errorf("%+v", e)
			}
			if s.issued != 4 {
				t.Errorf("%d tokens, want 4", s.issued)
			}
			s.mu.Lock()
			s.failure = `{"error":"invalid_client"}`
			s.mu.Unlock()
			m, _ = deliver(s.source())
			_, err = deliverOne(t.Context(), m, testMail("c@covebridge", 300), b.begin)
			if e := wantClass(t, err, Unavailable); e.Hint != hintSecret {
				t.Errorf("%+v", e)
			}
		})
	}
	m := newTestIMAP(t, imapServer.addr, func(o *IMAPOptions) { o.Auth = "xoauth2" })
	if _, err := deliverOne(t.Context(), m, testMail("c@covebridge", 300), nil); err == nil || !strings.Contains(err.Error(), "oauth2") {
		t.Error(err)
	}
}

// Connections that are dialled side by side share one token.
func TestTokenFetchedOnce(t *testing.T) {
	s := startTokens(t)
	source := s.source()
	for round, refused := range []string{"", "token-1"} { // at first, and when the server takes it no more
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				if token, err := source.Token(t.Context(), refused); token != fmt.Sprintf("token-%d", round+1) || err != nil {
					t.Errorf("got %q, %v", token, err)
				}
			})
		}
		all.Wait()
		if s.issued != round+1 {
			t.Errorf("%d tokens, want %d", s.issued, round+1)
		}
	}
}
