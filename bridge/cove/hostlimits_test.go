package cove

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"covebridge/bridge/backup"
)

// The rate is kept for each host by itself: the nodes of ten devices are read
// side by side, and the devices of one node one after the other.
func TestPaceOfHosts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		calls := map[string][]time.Time{}
		oneNode := false
		f := &fakeCove{answer: func(_ http.ResponseWriter, h recordedCall) string {
			mu.Lock()
			calls[h.Host] = append(calls[h.Host], time.Now())
			mu.Unlock()
			if h.Method != "GetAccountInfoById" {
				return ""
			}
			node := h.Params["accountId"].(float64)
			if oneNode {
				node = 0
			}
			return fmt.Sprintf(`{"result":{"result":{"Token":"tttt"},"homeNodeInfo":{"CommonInfo":{"Host":"n%v.cloudbackup.management"}}}}`, node)
		}}
		for _, oneNode = range []bool{false, true} {
			clear(calls)
			c := f.client(func(o *Options) { o.Rate, o.Concurrency = 1, 20 })
			read := func() time.Duration {
				began := time.Now()
				var all sync.WaitGroup
				for id := range 10 {
					all.Go(func() {
						if _, err := c.Sessions(context.Background(), backup.Device{ID: fmt.Sprint(id + 1)}, testNow, time.Time{}); err != nil {
							t.Error(err)
						}
					})
				}
				all.Wait()
				return time.Since(began)
			}
			read() // the accounts, at the management's pace
			time.Sleep(time.Minute)
			took := read()
			if oneNode && took < 9*time.Second || !oneNode && took > time.Second {
				t.Errorf("one node %v: ten histories took %v", oneNode, took)
			}
			for host, times := range calls {
				slices.SortFunc(times, time.Time.Compare)
				for i := range len(times) - 1 {
					if times[i+1].Sub(times[i]) < time.Second-time.Millisecond {
						t.Errorf("%s: two calls within %v", host, times[i+1].Sub(times[i]))
					}
				}
			}
		}
	})
}

// A call that waits for its host's pace takes no slot from calls to others, and
// calls that waited don't all set out at once.
func TestPaceKeepsNoSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := (&fakeCove{}).client(func(o *Options) { o.Rate, o.Concurrency = 0.1, 1 })
		wait := func(host string) time.Duration {
			began := time.Now()
			if err := c.hostLimits.awaitSlot(t.Context(), host, c.slots); err != nil {
				t.Error(err)
			}
			return time.Since(began)
		}
		wait("a")
		c.slots.Release(1)
		for range 5 {
			go func() { wait("a"); c.slots.Release(1) }()
		}
		synctest.Wait()
		if took := wait("b"); took > 0 {
			t.Errorf("waited %v", took)
		}
		time.Sleep(time.Hour) // whoever was let through by now has waited for the slot
		if c.hostLimits.get("a").limiter.Tokens() < 1 {
			t.Error("calls without a slot used up the pace")
		}
		c.slots.Release(1)
		time.Sleep(time.Minute)
	})
}

// However many hosts there are, few are remembered.
func TestLanesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := hostLimits{rate: 1}
		for i := range 10 * maxHosts {
			l.get(fmt.Sprint(i)).limiter.Allow()
			time.Sleep(100 * time.Millisecond)
		}
		if len(l.hosts) > maxHosts+10 {
			t.Errorf("%d hosts", len(l.hosts))
		}
		if l.get(fmt.Sprint(10*maxHosts - 1)).limiter.Allow() {
			t.Error("a host that is busy was forgotten")
		}
	})
}

// A context whose end comes before the call's turn ends the wait.
func TestPaceAndContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := (&fakeCove{}).client(func(o *Options) { o.Rate = 0.01 })
		c.hostLimits.get("cove.example").limiter.Allow()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if _, err := c.visa(ctx, ""); err == nil || !strings.Contains(err.Error(), "Login: ") || !strings.Contains(err.Error(), context.DeadlineExceeded.Error()) {
			t.Error(err)
		}
	})
}

// Calls keep to the rate and to so many at once.
func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now, most atomic.Int64
		f := &fakeCove{answer: func(_ http.ResponseWriter, h recordedCall) string {
			most.Store(max(most.Load(), now.Add(1)))
			time.Sleep(2 * time.Second)
			now.Add(-1)
			return ""
		}}
		c := f.client(func(o *Options) { o.Rate, o.Concurrency = 4, 3 })
		if _, err := c.visa(context.Background(), ""); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		done := make(chan error)
		for range 12 {
			go func() { _, err := c.Clock(context.Background()); done <- err }()
		}
		for range 12 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if took := time.Since(began); took < 8*time.Second || most.Load() != 3 {
			t.Errorf("%v, %d at once", took, most.Load())
		}
		c = f.client(func(o *Options) { o.Rate, o.Concurrency = 2, 50 })
		c.visa(context.Background(), "")
		began = time.Now()
		for range 12 {
			go func() { _, err := c.Clock(context.Background()); done <- err }()
		}
		for range 12 {
			<-done
		}
		if took := time.Since(began); took < 5500*time.Millisecond || took > 9*time.Second {
			t.Errorf("12 calls at 2 a second took %v", took)
		}
	})
}

// A call that waits for its next try does not keep others from theirs.
func TestWaitingGivesWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeCove{answer: func(w http.ResponseWriter, h recordedCall) string {
			if h.Method == "QuerySessions" {
				w.Header().Set("Retry-After", "100")
				w.WriteHeader(429)
				return "x"
			}
			return deviceAnswers(t, h)
		}}
		c := f.client(func(o *Options) { o.Concurrency = 1 })
		ended := make(chan error)
		go func() { _, err := c.Sessions(context.Background(), aServer, testNow, time.Time{}); ended <- err }()
		synctest.Wait()
		began := time.Now()
		if _, err := c.Clock(context.Background()); err != nil || time.Since(began) > 10*time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		if err := <-ended; err == nil {
			t.Error("no error")
		}
	})
}
