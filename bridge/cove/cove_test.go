package cove

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"covebridge/bridge/backup"
)

// handlerTransport is a transport that hands calls straight to a handler, without a
// network, so that tests may run in a bubble of their own time.
type handlerTransport struct{ http.Handler }

func (w handlerTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	rec := httptest.NewRecorder()
	done := make(chan any, 1)
	go func() {
		defer func() { done <- recover() }()
		w.ServeHTTP(rec, req)
	}()
	select {
	case failed := <-done:
		if failed != nil {
			return nil, io.ErrUnexpectedEOF
		}
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
	resp := rec.Result()
	resp.Request = req
	return resp, nil
}

// recordedCall is one call that a fake Cove got.
type recordedCall struct {
	Method string
	Visa   string
	Params map[string]any
	Path   string
	Host   string
	Bearer string
}

// query is the query of EnumerateAccountStatistics.
func (h recordedCall) query() map[string]any { q, _ := h.Params["query"].(map[string]any); return q }

func (h recordedCall) columns() (names []string) {
	list, _ := h.query()["Columns"].([]any)
	for _, name := range list {
		names = append(names, name.(string))
	}
	return names
}

// fakeCove is a Cove whose answers a test decides on. Login works unless the test
// answers it itself.
type fakeCove struct {
	mu     sync.Mutex
	calls  []recordedCall
	logins int
	// answer gives a reply's body; nothing: the usual.
	answer func(w http.ResponseWriter, h recordedCall) string
}

const (
	testVisa = "33491-50121-1-1795400000-A99E8B0C"
	aPage    = `{"result":{"result":[]}}`
)

func (f *fakeCove) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := recordedCall{Path: r.URL.Path, Host: r.URL.Host, Bearer: r.Header.Get("Authorization")}
	if r.Method == http.MethodGet {
		h.Method, h.Path = "GET", r.URL.RequestURI()
	} else if err := json.NewDecoder(r.Body).Decode(&h); err != nil {
		panic(err)
	}
	f.mu.Lock()
	f.calls = append(f.calls, h)
	if h.Method == "Login" {
		f.logins++
	}
	n := f.logins
	f.mu.Unlock()
	var body string
	if f.answer != nil {
		body = f.answer(w, h)
	}
	if body == "" {
		switch h.Method {
		case "Login":
			body = fmt.Sprintf(`{"visa":"%s%d","result":{"result":{"Id":1,"PartnerId":139124,"Name":"api-user"}}}`, testVisa, n)
		default:
			body = aPage
		}
	}
	io.WriteString(w, body)
}

// callsOf gives the calls of a method.
func (f *fakeCove) callsOf(method string) (calls []recordedCall) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, h := range f.calls {
		if h.Method == method {
			calls = append(calls, h)
		}
	}
	return calls
}

var testNow = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

const testPassword = "s3cret-api-token"

func (f *fakeCove) client(change ...func(*Options)) *Client {
	o := Options{
		Name: "msp", URL: "https://cove.example/jsonapi", ReportingURL: "https://cove.example/reporting_api",
		Username: "api-user", Password: testPassword, Rate: 1e6, Now: func() time.Time { return testNow }, Transport: handlerTransport{f},
	}
	for _, c := range change {
		c(&o)
	}
	return New(o)
}

// recorded reads a reply of testdata/cove.
func recorded(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "testdata", "cove", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// all reads every device.
func all(t testing.TB, c *Client, sel backup.Selection) []backup.Snapshot {
	t.Helper()
	var list []backup.Snapshot
	err := c.Devices(context.Background(), sel, func(r backup.Row) error { list = append(list, r.Snapshot()); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// notices collects what a client says.
type notices struct {
	mu   sync.Mutex
	said []string
}

func (n *notices) add(msg string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.said = append(n.said, strings.TrimSpace(fmt.Sprintln(append([]any{msg}, args...)...)))
}

func (n *notices) list() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]string(nil), n.said...)
}
