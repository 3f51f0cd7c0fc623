package web

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"covebridge/bridge/backup"
	"covebridge/bridge/finding"
	"covebridge/bridge/status"
)

// fake is a bridge of which a test says how it is.
type fake struct {
	status  status.Status
	err     error
	stalled error
	looks   int
	polled  int
	resent  []string
}

func (f *fake) Status(context.Context) (status.Status, error) { f.looks++; return f.status, f.err }
func (f *fake) Stalled() error                                { return f.stalled }
func (f *fake) PollNow(account string) error {
	if account != "msp" {
		return errors.New("this covebridge polls no account")
	}
	f.polled++
	return nil
}
func (f *fake) Resend(_ context.Context, run string) (e backup.Entry, err error) {
	f.resent = append(f.resent, run)
	e.Run.ID = run
	return e, f.err
}
func (f *fake) Deliveries() map[string]int64 {
	return map[string]int64{"sent": 5, "found": 1, "retried": 2, "failed": 3}
}

// serve starts a server for the bridge; token "": it asks for none.
func serve(t *testing.T, b Bridge, token string) *Server {
	t.Helper()
	s := New(Options{Listen: "127.0.0.1:0", Token: token, Bridge: b, Metrics: NewMetrics(), Errors: log.New(io.Discard, "", 0)})
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		http.DefaultClient.CloseIdleConnections()
	})
	return s
}

// ask makes a request; the header's names and values follow each other, and
// "Host" is one.
func ask(t *testing.T, s *Server, method, path string, header ...string) (resp *http.Response, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+s.Addr()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			req.Host = header[i+1]
		} else {
			req.Header.Set(header[i], header[i+1])
		}
	}
	resp, err = http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(text)
}

// Health is about the process alone, readiness about what stands in its way.
func TestHealthAndReadiness(t *testing.T) {
	failed := func(name string) []finding.Finding {
		return []finding.Finding{{Name: name, Subject: "acme", Severity: finding.Failed, Why: "hunter2"}}
	}
	for name, c := range map[string]struct {
		bridge        fake
		health, ready int
		says          string
	}{
		"well":          {fake{}, 200, 200, "ready\n"},
		"login refused": {fake{status: status.Status{Findings: failed("login_refused")}}, 200, 503, "not ready: login_refused\n"},
		"given up":      {fake{status: status.Status{Findings: failed("mails_given_up")}}, 200, 200, "ready\n"},
		"warned":        {fake{status: status.Status{Findings: []finding.Finding{{Name: "mails_late", Severity: finding.Warning}}}}, 200, 200, "ready\n"},
		"no ledger":     {fake{err: errors.New("hunter2")}, 200, 503, "not ready: the ledger can't be read\n"},
		"stalled":       {fake{stalled: errors.New("the poll of msp")}, 503, 200, "ready\n"},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, &c.bridge, "")
			if resp, body := ask(t, s, "GET", "/healthz"); resp.StatusCode != c.health || body != map[int]string{200: "ok\n", 503: "stalled: the poll of msp\n"}[c.health] {
				t.Errorf("health: %d %s", resp.StatusCode, body)
			}
			if resp, body := ask(t, s, "GET", "/readyz"); resp.StatusCode != c.ready || body != c.says {
				t.Errorf("ready: %d %s", resp.StatusCode, body)
			}
		})
	}
}

// However many visitors there are, the ledger is read once in a while.
func TestStatusIsReadSeldom(t *testing.T) {
	b := &fake{}
	s := serve(t, b, "")
	for range 20 {
		ask(t, s, "GET", "/readyz")
		ask(t, s, "GET", "/metrics")
	}
	if b.looks == 0 || b.looks > 5 { // 40, if each were a look; some where the machine is slow
		t.Errorf("%d looks", b.looks)
	}
}

// Every reply carries these, to the letter.
func TestHeaders(t *testing.T) {
	s := serve(t, &fake{}, "")
	want := map[string]string{
		"Content-Security-Policy":      "default-src 'none'; style-src 'self'; img-src 'self'; frame-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
		"X-Frame-Options":              "DENY",
		"X-Content-Type-Options":       "nosniff",
		"Referrer-Policy":              "same-origin",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Cache-Control":                "no-store",
	}
	for _, path := range []string{"/healthz", "/metrics", "/nowhere"} {
		resp, _ := ask(t, s, "GET", path)
		got := map[string]string{}
		for name := range want {
			got[name] = strings.Join(resp.Header.Values(name), "|")
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
}

// Without a token only this machine's own names open the page: a page from
// elsewhere can have its name point here, but not change it.
func TestHosts(t *testing.T) {
	s := serve(t, &fake{}, "")
	s.Listen = "status.localhost:8642"
	for host, ok := range map[string]bool{
		"localhost": true, "LOCALHOST:8642": true, "localhost.:8642": true, "127.0.0.1": true, "127.9.9.9:1": true, "[::1]:8642": true, "[::1]": true, "[::ffff:127.0.0.1]": true,
		"status.localhost:8642": true, "x.localhost": true,
		"evil.example": false, "evil.example:8642": false, "localhost.evil.example": false, "127.0.0.1.evil.example": false,
		"192.168.1.5:8642": false, "0.0.0.0:8642": false, "[::]:8642": false, "8.8.8.8": false, "evillocalhost": false,
	} {
		resp, _ := ask(t, s, "GET", "/healthz", "Host", host)
		if want := map[bool]int{true: 200, false: 421}[ok]; resp.StatusCode != want {
			t.Errorf("%s: %d, not %d", host, resp.StatusCode, want)
		}
	}
}

// With a token it is the token that counts, for all but health.
func TestToken(t *testing.T) {
	const token = "0123456789abcdef"
	s := serve(t, &fake{}, token)
	login := func(name, password string) string {
		r := &http.Request{Header: http.Header{}}
		r.SetBasicAuth(name, password)
		return r.Header.Get("Authorization")
	}
	for given, want := range map[string]int{
		"": 401, "Bearer": 401, "Bearer ": 401, "Bearer " + token[1:]: 401, "Bearer " + token + "0": 401, login(token, ""): 401,
		"Bearer " + token: 200, login("", token): 200, login("anybody", token): 200,
	} {
		resp, body := ask(t, s, "GET", "/metrics", "Authorization", given, "Host", "status.msp.example")
		if resp.StatusCode != want || strings.Contains(body, token) {
			t.Errorf("%q: %d, not %d", given, resp.StatusCode, want)
		}
		if challenge := resp.Header.Get("WWW-Authenticate"); (want == 401) != (challenge == `Basic realm="covebridge", charset="UTF-8"`) {
			t.Errorf("%q: challenge %q", given, challenge)
		}
	}
	s.Bridge.(*fake).stalled = errors.New("the poll of msp")
	if _, body := ask(t, s, "GET", "/healthz"); body != "stalled\n" {
		t.Errorf("a stranger is told %q", body)
	}
	s.Bridge.(*fake).stalled = nil
	for _, path := range []string{"/healthz", "/readyz"} {
		if resp, _ := ask(t, s, "GET", path, "Host", "10.0.0.7"); resp.StatusCode != 200 {
			t.Errorf("%s: %d", path, resp.StatusCode)
		}
	}
	for _, path := range []string{"/", "/nowhere", "/healthz/../metrics"} {
		if resp, _ := ask(t, s, "GET", path); resp.StatusCode != 401 {
			t.Errorf("%s: %d", path, resp.StatusCode)
		}
	}
}

// Other sites' pages can't have a browser post here.
func TestCrossOrigin(t *testing.T) {
	s := serve(t, &fake{}, "")
	for _, c := range []struct {
		want   int
		header []string
	}{
		{403, []string{"Sec-Fetch-Site", "cross-site"}},
		{403, []string{"Sec-Fetch-Site", "same-site"}},
		{403, []string{"Origin", "http://evil.example"}},
		{403, []string{"Origin", "null"}},
		{405, []string{"Sec-Fetch-Site", "same-origin"}},
		{405, []string{"Origin", "http://" + s.Addr()}},
		{405, nil}, // a program, not a browser
	} {
		if resp, _ := ask(t, s, "POST", "/healthz", c.header...); resp.StatusCode != c.want {
			t.Errorf("%q: %d, not %d", c.header, resp.StatusCode, c.want)
		}
	}
}

// A port that is taken is an error; after Close it is free, and the server can be
// started again.
func TestStartAndClose(t *testing.T) {
	s := serve(t, &fake{}, "")
	other := New(Options{Listen: s.Addr(), Bridge: &fake{}, Metrics: NewMetrics()})
	if err := other.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Errorf("on a port that is taken: %v", err)
	}
	stuck, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer stuck.Close()
	for range 3 {
		s.Listen = s.Addr()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if err := s.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if resp, _ := ask(t, s, "GET", "/healthz"); resp.StatusCode != 200 {
			t.Errorf("status %d", resp.StatusCode)
		}
	}
}

// An account that is polled at its interval can be polled at once; what was done
// is said, and cannot be made up by a link.
func TestPollButton(t *testing.T) {
	b := busy()
	b.status.Accounts[0].NextPoll = b.status.At.Add(time.Minute)
	s := serve(t, b, "")
	_, body := ask(t, s, "GET", "/")
	if strings.Count(body, "<button") != 1 || !strings.Contains(body, `<input type="hidden" name="account" value="msp"><button aria-label="Poll msp now">`) {
		t.Errorf("buttons: %s", body)
	}
	resp, err := http.PostForm("http://"+s.Addr()+"/poll", url.Values{"account": {"msp"}})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || b.polled != 1 || !strings.Contains(string(text), `role="status">msp is being polled.`) {
		t.Errorf("%d polls, %v: %s", b.polled, err, text)
	}
	if resp, _ := ask(t, s, "POST", "/poll?account=msp", "Sec-Fetch-Site", "cross-site"); resp.StatusCode != 403 || b.polled != 1 {
		t.Errorf("from another site: %d, %d polls", resp.StatusCode, b.polled)
	}
	if resp, _ := ask(t, s, "GET", "/poll?account=msp"); resp.StatusCode != 404 || b.polled != 1 {
		t.Errorf("by a link: %d, %d polls", resp.StatusCode, b.polled)
	}
}

// No visitor can keep a connection for good, or fill the memory by a header.
func TestLimits(t *testing.T) {
	h := serve(t, &fake{}, "").http
	for _, limit := range []time.Duration{h.ReadHeaderTimeout, h.ReadTimeout, h.WriteTimeout, h.IdleTimeout} {
		if limit <= 0 || limit > time.Minute {
			t.Errorf("a limit of %s", limit)
		}
	}
	if h.MaxHeaderBytes <= 0 || h.MaxHeaderBytes > 64<<10 {
		t.Errorf("%d bytes of headers", h.MaxHeaderBytes)
	}
}

// Visitors beyond the limit wait until another one goes.
func TestConnections(t *testing.T) {
	s := serve(t, &fake{}, "")
	var visitors []net.Conn
	defer func() {
		for _, v := range visitors {
			v.Close()
		}
	}()
	visit := func() *bufio.Reader {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", s.Addr())
		if err != nil {
			t.Fatal(err)
		}
		visitors = append(visitors, conn)
		if _, err := fmt.Fprint(conn, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		return bufio.NewReader(conn)
	}
	for range connections {
		if line, err := visit().ReadString('\n'); err != nil || line != "HTTP/1.1 200 OK\r\n" {
			t.Fatal(line, err)
		}
	}
	answers := visit()
	last := visitors[connections]
	if err := last.SetReadDeadline(time.Now().Add(200 * time.Millisecond)); err != nil { // where it is served, that takes none
		t.Fatal(err)
	}
	if line, err := answers.ReadString('\n'); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("one too many is answered: %q, %v", line, err)
	}
	visitors[0].Close()
	if err := last.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	if line, err := answers.ReadString('\n'); err != nil || line != "HTTP/1.1 200 OK\r\n" {
		t.Errorf("after another one went: %q, %v", line, err)
	}
}

// A form that is longer than any of ours is not read to its end.
func TestLongForm(t *testing.T) {
	b := &fake{}
	s := serve(t, b, "")
	for size, want := range map[int]int{1 << 10: 1, 20 << 10: 0} {
		b.polled = 0
		form := "more=" + strings.Repeat("x", size) + "&account=msp"
		resp, err := http.Post("http://"+s.Addr()+"/poll", "application/x-www-form-urlencoded", strings.NewReader(form))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if b.polled != want {
			t.Errorf("%d bytes: polled %d times", size, b.polled)
		}
	}
}

// Where the ledger can't be read the page says so, with what is known all the same.
func TestOverviewWithoutLedger(t *testing.T) {
	b := busy()
	b.err = errors.New("the disk is gone")
	s := serve(t, b, "")
	_, body := ask(t, s, "GET", "/")
	for _, want := range []string{"the disk is gone", ">msp<", `class="badge failed"`} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q in %s", want, body)
		}
	}
	if strings.Contains(body, "All is well") || strings.Contains(body, "3 mails") {
		t.Errorf("it claims to know: %s", body)
	}
}
