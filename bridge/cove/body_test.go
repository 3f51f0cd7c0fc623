package cove

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"covebridge/bridge/internal/realtest"
)

// served is a server with real connections whose answers to all but Login a
// test writes, and a client of it. It counts the connections.
func served(t *testing.T, answer func(w http.ResponseWriter)) (*Client, *atomic.Int64) {
	var connections atomic.Int64
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		call, _ := io.ReadAll(r.Body)
		if strings.Contains(string(call), `"Login"`) {
			io.WriteString(w, login)
			return
		}
		answer(w)
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	c := New(Options{URL: s.URL, NodeURL: s.URL, Username: "u", Password: testPassword, Rate: 1e6})
	if _, err := c.visa(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	return c, &connections
}

// However a reply ends, its connection serves the next call.
func TestConnectionsAreReused(t *testing.T) {
	text := aPageOf(100)
	for name, answer := range map[string]func(w http.ResponseWriter){
		"length": func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", fmt.Sprint(len(text)))
			io.WriteString(w, text)
		},
		"newline": func(w http.ResponseWriter) { io.WriteString(w, text+"\r\n\r\n") },
		"chunked": func(w http.ResponseWriter) { io.WriteString(w, text) },
		"last chunk late": func(w http.ResponseWriter) {
			io.WriteString(w, text)
			w.(http.Flusher).Flush()
			time.Sleep(5 * time.Millisecond)
		},
		"gzip": func(w http.ResponseWriter) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			io.WriteString(z, text)
			z.Close()
		},
		"web page":  func(w http.ResponseWriter) { w.WriteHeader(403); io.WriteString(w, "<html>"+text[:4000]) },
		"more rows": func(w http.ResponseWriter) { io.WriteString(w, aPageOf(120)) },
	} {
		c, connections := served(t, answer)
		var p page
		for range 20 {
			if err := c.statistics(context.Background(), pageQuery{count: 100}, &p); name != "web page" && (err != nil || len(p.rows) != 100) {
				t.Fatalf("%s: %d rows, %v", name, len(p.rows), err)
			}
		}
		if n := connections.Load(); n != 1 {
			t.Errorf("%s: %d connections for 21 calls", name, n)
		}
	}
}

// peak runs do and gives the most memory that was in use meanwhile, beyond what
// was before.
func peak(do func()) int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	before, most := int64(m.HeapInuse), int64(0)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			runtime.ReadMemStats(&m)
			most = max(most, int64(m.HeapInuse)-before)
			select {
			case <-stop:
				return
			case <-time.After(2 * time.Millisecond):
			}
		}
	}()
	do()
	close(stop)
	<-stopped
	return most
}

// repeated writes a text so many times, or until nobody listens.
func repeated(w io.Writer, text string, times int) {
	for range times {
		if _, err := io.WriteString(w, text); err != nil {
			return
		}
	}
}

// Whatever a server sends, it costs little memory and time: rows are capped at
// what was asked for, a row and a reply at what they can reasonably take.
func TestHostileReplies(t *testing.T) {
	realtest.Long(t, "it reads gigabytes")
	const most = 40 << 20
	zip := func(w http.ResponseWriter, write func(io.Writer)) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		write(z)
		z.Close()
	}
	objects, blanks := strings.Repeat(",{}", 1<<18), strings.Repeat(" ", 1<<20)
	for name, test := range map[string]struct {
		write func(w io.Writer)
		rows  int // -1: an error
	}{
		"15.7 million rows": {func(w io.Writer) {
			io.WriteString(w, `{"result":{"result":[{}`)
			repeated(w, objects, 60)
			io.WriteString(w, `]}}`)
		}, 100},
		"60 MB of a row": {func(w io.Writer) {
			io.WriteString(w, `{"result":{"result":[{"AccountId":1,"Settings":[{"X":"1"}`)
			repeated(w, strings.Repeat(`,{"X1":"1"}`, 1<<16), 90)
		}, -1},
		"60 MB of a value": {func(w io.Writer) {
			io.WriteString(w, `{"result":{"result":[{"AccountId":1,"Settings":[{"I1":"`)
			repeated(w, strings.Repeat("x", 1<<20), 60)
		}, -1},
		"60 MB of a name":       {func(w io.Writer) { io.WriteString(w, `{"`); repeated(w, strings.Repeat("x", 1<<20), 60) }, -1},
		"4 GB of blanks":        {func(w io.Writer) { io.WriteString(w, `{"result":{"result":[`); repeated(w, blanks, 4096) }, -1},
		"4 GB of blanks before": {func(w io.Writer) { repeated(w, blanks, 4096) }, -1},
		"4 GB of blanks beside": {func(w io.Writer) { io.WriteString(w, `{"result":{"result":[]},"x":[`); repeated(w, "[],"+blanks, 4096) }, -1},
		"nested without end":    {func(w io.Writer) { io.WriteString(w, `{"result":{"x":`); repeated(w, strings.Repeat("[", 1<<20), 60) }, -1},
	} {
		t.Run(name, func(t *testing.T) {
			for _, zipped := range []bool{true, false} {
				if !zipped && strings.HasPrefix(name, "4 GB") {
					continue
				}
				c, _ := served(t, func(w http.ResponseWriter) {
					if zipped {
						zip(w, test.write)
					} else {
						test.write(w)
					}
				})
				// A broken reply is asked for again, so that the context ends it; a
				// good one is read to its end, on a busy machine too.
				patience := 4 * time.Second
				if test.rows >= 0 {
					patience = 30 * time.Second
				}
				check := func(what string, rows int, err error, took time.Duration, memory int64) {
					if (err != nil) != (test.rows < 0) || err == nil && rows != test.rows {
						t.Errorf("%s: %d rows, %v", what, rows, err)
					}
					if memory > most || took > patience+time.Second {
						t.Errorf("%s: %d MB, %v", what, memory>>20, took)
					}
				}
				ctx, cancel := context.WithTimeout(context.Background(), patience)
				defer cancel()
				var err error
				var p page
				began := time.Now()
				memory := peak(func() { err = c.statistics(ctx, pageQuery{columns: []string{"I0"}, count: 100}, &p) })
				check("devices", len(p.rows), err, time.Since(began), memory)
				var rows []row
				began = time.Now()
				memory = peak(func() {
					_, err = c.atNode(ctx, account{id: 1, name: "a", token: "tttt"}, "QuerySessions", map[string]any{}, nodeRange, decodeRows(&rows, nodeRange, nil))
				})
				check("sessions", len(rows), err, time.Since(began), memory)
			}
		})
	}
}

// piped is a transport to a handler through connections in memory, so that a
// bubble's time goes on while they wait.
func piped(t *testing.T, h http.HandlerFunc) http.RoundTripper {
	connections := make(chan net.Conn)
	l := pipeListener{connections, make(chan struct{})}
	s := &http.Server{Handler: h}
	go s.Serve(l)
	transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		connections <- there
		return here, nil
	}}
	t.Cleanup(func() { transport.CloseIdleConnections(); s.Close() })
	return transport
}

type pipeListener struct {
	connections chan net.Conn
	closed      chan struct{}
}

func (l pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.connections:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}
func (l pipeListener) Close() error   { close(l.closed); return nil }
func (l pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

// A body that stalls is given up half a minute after its last byte, and tried
// once more at most.
func TestStalledBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		transport := piped(t, func(w http.ResponseWriter, r *http.Request) {
			calls++
			io.WriteString(w, `{"visa":"`+testVisa+`","result":`)
			for range 3 { // slow, but not dead
				w.(http.Flusher).Flush()
				time.Sleep(stallTimeout - time.Second)
				io.WriteString(w, " ")
			}
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		})
		c := New(Options{URL: "http://cove.example/", Username: "u", Password: testPassword, Transport: transport})
		began := time.Now()
		_, err := c.visa(context.Background(), "")
		want := 2 * (3*(stallTimeout-time.Second) + stallTimeout)
		if !errors.Is(err, errStalled) || calls != maxTimeouts || time.Since(began) > want+3*time.Second || time.Since(began) < want {
			t.Errorf("%v after %d calls and %v", err, calls, time.Since(began))
		}
	})
}

// A server that never answers is given up after two minutes, twice.
func TestSilentServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport := piped(t, func(_ http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body); <-r.Context().Done() })
		c := New(Options{URL: "http://cove.example/", Username: "u", Password: testPassword, Transport: transport})
		began := time.Now()
		_, err := c.visa(context.Background(), "")
		if !errors.Is(err, errCallTimeout) || time.Since(began) > 2*callTimeout+3*time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}
