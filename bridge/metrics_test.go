package bridge_test

import (
	"context"
	"io"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"covebridge/bridge"
	"covebridge/bridge/backup"
	"covebridge/bridge/config"
	"covebridge/bridge/covesim"
	"covebridge/bridge/internal/freeport"
)

// What a running bridge does can be read at its address while it runs, and
// nothing can afterwards.
func TestMetricsOfARunningBridge(t *testing.T) {
	addr := freeport.Reserve(t)
	get := func(path string) string {
		resp, err := http.Get("http://" + addr + path)
		if err != nil {
			t.Error(err)
			return ""
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body) // what was cut off is missed below
		return string(text)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var text, health string
	polls := 0
	w, sim := simWorld(t, covesim.Options{Seed: 1, Devices: 6}, func(o *bridge.Options) {
		o.Name, o.Version, o.Interval, o.HTTP = "host:1", "v9", 20*time.Millisecond, config.HTTP{Listen: addr}
		watch(func() error {
			if polls++; polls > 5 {
				text, health = get("/metrics"), get("/healthz")
				if n := sum(text, "covebridge_deliveries_total"); n > 0 && n == sum(text, "covebridge_runs_queued_total") &&
					strings.Contains(text, `covebridge_devices{account="sim"} 6`) || polls == 1000 {
					stop()
				}
			}
			return nil
		})(o)
	})
	sim.Advance(12 * time.Hour)
	w.clock = epoch.Add(12 * time.Hour)
	w.Run(ctx)
	sent := 0
	for _, e := range w.runs() {
		if e.State == backup.EntrySent {
			sent++
		}
	}
	queued, delivered := sum(text, "covebridge_runs_queued_total"), sum(text, `covebridge_deliveries_total{outcome="sent"}`)
	if sent == 0 || queued != sent || delivered != sent {
		t.Errorf("%d runs sent; counted: %d queued, %d delivered", sent, queued, delivered)
	}
	if n := sum(text, `covebridge_polls_total{account="sim",outcome="ok"}`); n < polls-2 || n > polls {
		t.Errorf("%d of %d polls counted", n, polls)
	}
	if want := `covebridge_bridge_info{bridge="host:1",version="v9"} 1`; !strings.Contains(text, want) || health != "ok\n" {
		t.Errorf("health %q; no %s in %s", health, want, text)
	}
	http.DefaultClient.CloseIdleConnections()
	if resp, err := http.Get("http://" + addr + "/healthz"); err == nil {
		resp.Body.Close()
		t.Error("it outlives the bridge")
	}
}

// A poll that is asked for happens at once, and not while another is under way;
// the first one is told of when it is over.
func TestPollNow(t *testing.T) {
	polls, goOn, first := make(chan struct{}), make(chan struct{}), make(chan struct{})
	w, _ := simWorld(t, covesim.Options{Seed: 1, Devices: 1}, func(o *bridge.Options) {
		o.Interval, o.OnPolled = time.Hour, func() { close(first) }
		watch(func() error {
			polls <- struct{}{}
			<-goOn
			return nil
		})(o)
	})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); w.Run(ctx) }()
	<-polls
	if err := w.PollNow("sim"); err == nil || !strings.Contains(err.Error(), "is being polled at this moment") {
		t.Errorf("while it is polled: %v", err)
	}
	if err := w.PollNow("other"); err == nil {
		t.Error("an account that is not there is polled")
	}
	select {
	case <-first:
		t.Error("told of a poll that is under way")
	default:
	}
	goOn <- struct{}{}
	<-first
	for w.PollNow("sim") != nil { // as soon as the first poll is over
		runtime.Gosched()
	}
	<-polls
	stop()
	goOn <- struct{}{}
	<-ended
}

// sum adds up the values of the metrics whose lines begin so.
func sum(text, name string) (n int) {
	for line := range strings.Lines(text) {
		if fields := strings.Fields(line); len(fields) > 1 && strings.HasPrefix(line, name) {
			v, err := strconv.Atoi(fields[len(fields)-1])
			if err == nil {
				n += v
			}
		}
	}
	return n
}
