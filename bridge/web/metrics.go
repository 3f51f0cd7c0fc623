package web

import (
	"net/http"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// maxHosts bounds how many hosts are counted by name: Cove names its storage
// nodes itself, and each makes a time series of its own.
const maxHosts = 100

// Metrics counts what a bridge does, for Prometheus. Its methods may be called
// side by side.
type Metrics struct {
	registry             *prometheus.Registry
	calls, polls, queued *prometheus.CounterVec

	mu    sync.Mutex
	hosts map[string]bool
}

// NewMetrics gives Metrics with a registry of their own, so that bridges in one
// process do not meet in the global one.
func NewMetrics() *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "covebridge_" + name, Help: help}, labels)
	}
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		hosts:    map[string]bool{},
		calls:    counter("cove_calls_total", "Calls to Cove, each try for itself.", "host", "method", "outcome"),
		polls:    counter("polls_total", "Polls of an account.", "account", "outcome"),
		queued:   counter("runs_queued_total", "Runs that were put into the outbox.", "status"),
	}
	m.registry.MustRegister(m.calls, m.polls, m.queued, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Call counts one try of a call; outcome as cove.Options.Observe tells it.
func (m *Metrics) Call(host, method, outcome string) {
	m.calls.WithLabelValues(m.bounded(strings.ToValidUTF8(host, "?")), method, outcome).Inc()
}

// bounded gives the host, or "other" beyond maxHosts of them.
func (m *Metrics) bounded(host string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.hosts[host] && len(m.hosts) >= maxHosts {
		return "other"
	}
	m.hosts[host] = true
	return host
}

// Poll counts a poll of an account: "ok", "failed", "refused", or "elsewhere"
// where another bridge was at it.
func (m *Metrics) Poll(account, outcome string) { m.polls.WithLabelValues(account, outcome).Inc() }

// Queued counts a run of this status that was put into the outbox.
func (m *Metrics) Queued(status string) { m.queued.WithLabelValues(status).Inc() }

// register adds what is not counted but read from the bridge at each scrape.
func (m *Metrics) register(b Bridge, g *statusCache) { m.registry.MustRegister(statusCollector{b, g}) }

func (m *Metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: 4})
}
