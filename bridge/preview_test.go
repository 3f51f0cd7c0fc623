package bridge_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"covebridge/bridge"
	"covebridge/bridge/backup"
	"covebridge/bridge/collect"
	"covebridge/bridge/cove"
	"covebridge/bridge/covesim"
)

// preview gives the mails wanted of a fleet of 40 devices, and how many calls
// they took.
func preview(t *testing.T, want bridge.PreviewOptions) (mails []backup.Entry, calls int64, seen []collect.Progress) {
	sim := covesim.New(covesim.Options{Devices: 40, Start: epoch})
	var count atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		count.Add(1)
		sim.ServeHTTP(w, r)
	}))
	defer server.Close()
	w := newWorld(t, func(b *bridge.Options) {
		b.Collect.Now = sim.Now
		b.Sources = []bridge.Source{cove.New(cove.Options{
			Name: "sim", URL: server.URL + "/jsonapi", ReportingURL: server.URL + "/reporting_api", NodeURL: server.URL + "/node/HOST/repserv_json",
			Username: "api-user", Password: "covesim", Rate: 100000, Concurrency: 4, PageSize: 10, Now: sim.Now,
		})}
	})
	var mu sync.Mutex
	w.OnProgress(func(p collect.Progress) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, p)
	})
	err := w.Preview(context.Background(), want, func(e backup.Entry) error {
		mails = append(mails, e)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return mails, count.Load(), seen
}

// A preview of three mails asks for no more than those need, and one of a
// device for no other's history.
func TestPreviewStops(t *testing.T) {
	all, whole, seen := preview(t, bridge.PreviewOptions{})
	three, few, _ := preview(t, bridge.PreviewOptions{Limit: 3})
	if len(three) != 3 || few > whole/3 {
		t.Errorf("%d mails in %d calls, all %d in %d", len(three), few, len(all), whole)
	}
	t.Logf("3 mails in %d calls, all %d in %d", few, len(all), whole)
	name := all[0].Run.Device.Name
	one, some, _ := preview(t, bridge.PreviewOptions{Device: strings.ToUpper(name)})
	if len(one) == 0 || some > whole/3 {
		t.Errorf("%d mails of %s in %d calls, all in %d", len(one), name, some, whole)
	}
	for _, e := range one {
		if e.Run.Device.Name != name {
			t.Errorf("a mail of %s", e.Run.Device.Name)
		}
	}
	last := seen[len(seen)-1]
	for _, p := range seen {
		if p.Done > last.Done {
			last = p
		}
	}
	if last.Account != "sim" || last.Done != 40 || last.Total != 40 {
		t.Errorf("at the end it was %+v", last)
	}
}
