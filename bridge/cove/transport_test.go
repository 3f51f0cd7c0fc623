package cove

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

const login = `{"visa":"` + testVisa + `","result":{"result":{"PartnerId":1}}}`

// What another try mends is tried again; Retry-After is kept to.
func TestTriesAgain(t *testing.T) {
	status := func(code int, body string, header ...string) func(http.ResponseWriter) string {
		return func(w http.ResponseWriter) string {
			for i := 0; i < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(code)
			return body
		}
	}
	for name, test := range map[string]struct {
		bad      func(http.ResponseWriter) string
		from, to time.Duration // how long it waits
	}{
		"429":             {status(429, "slow down", "Retry-After", "7"), 7 * time.Second, 8 * time.Second},
		"429 with a date": {status(429, "{}", "Date", "Mon, 23 Nov 2026 12:00:00 GMT", "Retry-After", "Mon, 23 Nov 2026 12:00:40 GMT"), 40 * time.Second, 41 * time.Second},
		"429 until then":  {status(429, "", "Date", "Mon, 23 Nov 2026 12:00:00 GMT", "Retry-After", "Tue, 24 Nov 2026 12:00:00 GMT"), maxRetryAfter, maxRetryAfter + time.Second},
		"429 for a day":   {status(429, "", "Retry-After", "86400"), maxRetryAfter, maxRetryAfter + time.Second},
		"429 in no time":  {status(429, "", "Retry-After", "0"), time.Second, 2 * time.Second},
		"429 in the past": {status(429, "", "Date", "Mon, 23 Nov 2026 12:00:00 GMT", "Retry-After", "Thu, 01 Jan 1970 00:00:00 GMT"), time.Second, 2 * time.Second},
		"429 before now":  {status(429, "", "Retry-After", "-5"), time.Second, 2 * time.Second},
		"429 in words":    {status(429, "", "Retry-After", "abc"), time.Second, 2 * time.Second},
		"429 without":     {status(429, `{"error":{"code":1,"message":"x"}}`), time.Second, 2 * time.Second},
		"500":             {status(500, "oops"), time.Second, 2 * time.Second},
		"503":             {status(503, `<html>`, "Retry-After", "3"), 3 * time.Second, 4 * time.Second},
		"HTML":            {status(200, "\n <!DOCTYPE html><html>busy</html>"), time.Second, 2 * time.Second},
		"cut off":         {status(200, `{"result":{"result":[{"AccountId":1`), time.Second, 2 * time.Second},
		"broken":          {status(200, `{"result":{"result":[{"AccountId"}]}}`), time.Second, 2 * time.Second},
		"nothing":         {status(200, ` `), time.Second, 2 * time.Second},
		"no result":       {status(200, `{"jsonrpc":"2.0"}`), time.Second, 2 * time.Second},
		"another thing":   {status(200, `[1]`), time.Second, 2 * time.Second},
		"line cut":        {func(http.ResponseWriter) string { panic("cut") }, time.Second, 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := 0
				f := &fakeCove{answer: func(w http.ResponseWriter, h recordedCall) string {
					if h.Method == "Login" {
						return ""
					}
					if n++; n == 1 {
						return test.bad(w)
					}
					return `{"result":{"result":[` + plainRow(5) + `]}}`
				}}
				began := time.Now()
				var p page
				err := f.client().statistics(context.Background(), pageQuery{count: 1}, &p)
				if err != nil || len(p.rows) != 1 || n != 2 {
					t.Errorf("%d rows after %d calls, %v", len(p.rows), n, err)
				}
				if rest := time.Since(began); rest < test.from || rest > test.to {
					t.Errorf("rested %v", rest)
				}
			})
		})
	}
}

// Each try is told of, with what it came to; what the caller broke off is not.
func TestObserve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		n := 0
		answers := []func(w http.ResponseWriter) string{
			func(w http.ResponseWriter) string { w.WriteHeader(429); return "" },
			func(w http.ResponseWriter) string { w.WriteHeader(503); return "" },
			func(http.ResponseWriter) string { panic("cut") },
			func(http.ResponseWriter) string { return "<html>" },
			func(http.ResponseWriter) string { return aPage },
			func(http.ResponseWriter) string { return `{"error":{"code":-32603,"message":"no"}}` },
			func(http.ResponseWriter) string { stop(); return "<html>" },
		}
		f := &fakeCove{answer: func(w http.ResponseWriter, h recordedCall) string {
			if h.Method == "Login" {
				return ""
			}
			n++
			return answers[n-1](w)
		}}
		var told []string
		c := f.client(func(o *Options) {
			o.Observe = func(host, method, outcome string) { told = append(told, host+" "+method+" "+outcome) }
		})
		for range 3 {
			_, _ = c.Clock(ctx) // how the calls end is told of elsewhere
		}
		want := []string{"cove.example Login ok"}
		for _, outcome := range []string{"throttled", "broken", "unreachable", "broken", "ok", "error"} {
			want = append(want, "cove.example EnumerateAccountStatistics "+outcome)
		}
		if !slices.Equal(told, want) || n != len(answers) {
			t.Errorf("after %d calls got %q, want %q", n, told, want)
		}
	})
}

// It does not try for ever, and says why it gave up.
func TestGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for body, want := range map[string]string{
			"<html>":  "web page",
			`{"a":1}`: "neither result nor error",
			`{"re`:    "unexpected EOF",
		} {
			f := &fakeCove{answer: func(_ http.ResponseWriter, h recordedCall) string { return body }}
			_, err := f.client().Clock(context.Background())
			if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "tried 5 times") || len(f.calls) != 5 {
				t.Errorf("%s: %v after %d calls", body, err, len(f.calls))
			}
		}
	})
}

// A status without an answer of Cove's is told; one that may not help is final.
func TestHTTPStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for status, calls := range map[int]int{403: 1, 404: 1, 500: 5, 408: 5} {
			f := &fakeCove{answer: func(w http.ResponseWriter, _ recordedCall) string { w.WriteHeader(status); return "x" }}
			if _, err := f.client().Clock(context.Background()); err == nil || !strings.Contains(err.Error(), fmt.Sprint("HTTP ", status)) || len(f.calls) != calls {
				t.Errorf("%d: %v after %d calls", status, err, len(f.calls))
			}
		}
	})
	// An error of Cove's that stands counts, whatever the status says.
	f := &fakeCove{answer: func(w http.ResponseWriter, _ recordedCall) string {
		w.WriteHeader(500)
		return `{"error":{"code":-32603,"data":13501,"message":"no"}}`
	}}
	if _, err := f.client().visa(context.Background(), ""); !hasErrorNumber(err, errSecurity) || len(f.calls) != 1 {
		t.Errorf("%v after %d calls", err, len(f.calls))
	}
}

func TestSlowReplyTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int64
		f := &fakeCove{answer: func(_ http.ResponseWriter, h recordedCall) string {
			if n.Add(1) == 1 {
				time.Sleep(callTimeout + time.Second)
			}
			return ""
		}}
		began := time.Now()
		if _, err := f.client().Clock(context.Background()); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took < callTimeout || took > callTimeout+5*time.Second {
			t.Errorf("took %v", took)
		}
		time.Sleep(callTimeout) // until the slow one is done
	})
}

// The end of the context ends a call and its waits, and is told as that.
func TestContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeCove{answer: func(w http.ResponseWriter, _ recordedCall) string {
			w.Header().Set("Retry-After", "300")
			w.WriteHeader(429)
			return ""
		}}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		_, err := f.client().Sessions(ctx, aServer, testNow, time.Time{})
		if !errors.Is(err, context.DeadlineExceeded) || strings.Contains(err.Error(), "not available") {
			t.Error(err)
		}
	})
}

// Redirects lead to no other host, for calls carry secrets.
func TestRedirects(t *testing.T) {
	var strangers atomic.Int64
	stranger := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { strangers.Add(1) }))
	defer stranger.Close()
	var home *httptest.Server
	home = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/away":
			http.Redirect(w, r, stranger.URL, http.StatusTemporaryRedirect)
		case "/round":
			http.Redirect(w, r, home.URL+"/round", http.StatusTemporaryRedirect)
		case "/here":
			http.Redirect(w, r, home.URL+"/jsonapi", http.StatusPermanentRedirect)
		default:
			io.WriteString(w, login)
		}
	}))
	defer home.Close()
	for path, want := range map[string]string{"/away": "another host", "/round": "one too many", "/here": ""} {
		c := New(Options{URL: home.URL + path, Username: "u", Password: testPassword, Rate: 1000})
		_, err := c.visa(context.Background(), "")
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if strangers.Load() != 0 {
		t.Error("a stranger was called")
	}
}

var spaces = strings.Repeat(" ", 1<<16)

// endless is a reply without end.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	return copy(p, spaces), nil
}

// A reply larger than the bound, or that unpacks to more, is refused and not
// asked for again.
func TestReplyTooBig(t *testing.T) {
	var calls atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		w.Header().Set("Content-Encoding", "gzip")
		z, _ := gzip.NewWriterLevel(w, gzip.BestSpeed)
		io.WriteString(z, `{"result":"`)
		io.Copy(z, io.LimitReader(endless{}, replyBytes(0)+1<<20))
		io.WriteString(z, `"}`)
		z.Close()
	}))
	defer s.Close()
	c := New(Options{URL: s.URL, Username: "u", Password: testPassword, Rate: 1000})
	_, err := c.visa(context.Background(), "")
	if !errors.Is(err, errTooLong) || calls.Load() != 1 {
		t.Errorf("%v after %d calls", err, calls.Load())
	}
}

// A certificate that nobody vouches for is not tried again.
func TestUnknownCertificate(t *testing.T) {
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	c := New(Options{URL: s.URL, Username: "u", Password: testPassword, Rate: 1000})
	began := time.Now()
	_, err := c.visa(context.Background(), "")
	if err == nil || !strings.Contains(err.Error(), "certificate") || time.Since(began) > minRetryDelay/2 {
		t.Errorf("%v after %v", err, time.Since(began))
	}
}
