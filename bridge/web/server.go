// Package web serves the status page of a running covebridge, its metrics and
// its health.
//
// It is open to this machine alone, or to whoever has the token. Everything it
// shows that came from outside is data: html/template escapes it, and a policy
// keeps the browser from running or loading anything that is not ours.
package web

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"time"

	"golang.org/x/net/netutil"

	"covebridge/bridge/backup"
	"covebridge/bridge/ledger"
	"covebridge/bridge/status"
)

const (
	connections  = 64               // at once, so that visitors can't use up what the bridge needs
	headerBytes  = 16 << 10         // of one request
	bodyBytes    = 16 << 10         // of one request: its forms are small
	readTimeout  = 10 * time.Second // of one request
	writeTimeout = time.Minute      // of one reply
	idleTimeout  = time.Minute      // of a connection that asks nothing
	shutdown     = 2 * time.Second  // that replies under way get to end
)

// Bridge is the bridge that is shown.
type Bridge interface {
	// Status tells how things stand. After an error it holds what could be found out.
	Status(context.Context) (status.Status, error)
	// Stalled tells which part of the bridge makes no progress though it should.
	Stalled() error
	// Deliveries counts deliveries by outcome since the process began.
	Deliveries() map[string]int64
	// PollNow has an account polled at once; an error tells why that can't be.
	PollNow(account string) error
	// Resend queues a run once more.
	Resend(ctx context.Context, run string) (backup.Entry, error)
}

// Ledger is where runs and devices are read.
type Ledger interface {
	Entries(context.Context, ledger.Query) ([]backup.Entry, error)
	Entry(ctx context.Context, name string) (backup.Entry, []ledger.Event, error)
	DevicesAfter(ctx context.Context, key string, limit int) ([]ledger.DeviceStatus, error)
	Load(ctx context.Context, key string) (backup.Record, error)
}

// Options say what a Server serves, and where.
type Options struct {
	Listen  string // host:port; port 0: any that is free
	Token   string // asked of each visitor; empty: of none
	Bridge  Bridge
	Ledger  Ledger
	Metrics *Metrics
	Zone    *time.Location // times are shown and read in it
	Errors  *log.Logger    // hears of requests that break off
}

// Server serves until it is closed; after that it can be started again.
type Server struct {
	Options
	status statusCache
	pages  pages
	http   *http.Server
	addr   net.Addr
	served chan struct{} // closed when http has ended
}

// New gives a server that does not serve yet.
func New(o Options) *Server {
	s := &Server{Options: o, status: statusCache{read: o.Bridge.Status}, pages: parse(o.Zone)}
	o.Metrics.register(o.Bridge, &s.status)
	return s
}

// Start listens and serves, until Close. Requests under way are broken off when
// ctx ends.
func (s *Server) Start(ctx context.Context) error {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", s.Listen)
	if err != nil {
		return fmt.Errorf("serve the status page: %w", err)
	}
	s.addr, s.served = ln.Addr(), make(chan struct{})
	s.http = &http.Server{
		Handler:           s.handler(),
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ReadHeaderTimeout: readTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: headerBytes,
		ErrorLog:       s.Errors,
	}
	go func() {
		defer close(s.served)
		s.http.Serve(netutil.LimitListener(ln, connections)) //nolint:errcheck // it ends with Close
	}()
	return nil
}

// Addr is where it is served, while it is.
func (s *Server) Addr() string { return s.addr.String() }

// Close ends what is served; the port is free again when it returns.
func (s *Server) Close() error {
	ctx, done := context.WithTimeout(context.Background(), shutdown)
	defer done()
	err := s.http.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.http.Close()
	}
	<-s.served
	return err
}

func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", s.health)
	mux.HandleFunc("GET /readyz", s.ready)
	mux.Handle("GET /metrics", s.Metrics.handler())
	mux.Handle("GET /style.css", asset("text/css; charset=utf-8", style))
	mux.Handle("GET /icon.svg", asset("image/svg+xml", icon))
	for pattern, page := range map[string]func(http.ResponseWriter, *http.Request) error{
		"GET /{$}":               s.overview,
		"POST /poll":             s.poll,
		"GET /runs":              s.runs,
		"GET /runs/{run}":        s.run,
		"GET /runs/{run}/html":   s.html,
		"GET /runs/{run}/raw":    s.raw,
		"POST /runs/{run}/again": s.resend,
		"GET /devices":           s.devices,
		"GET /devices/{device}":  s.device,
		"GET /":                  notFound,
	} {
		mux.Handle(pattern, s.page(page))
	}
	return s.guard(mux)
}
