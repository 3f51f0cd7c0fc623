package bridge_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"covebridge/bridge"
	"covebridge/bridge/backup"
	"covebridge/bridge/cove"
	"covebridge/bridge/internal/ratio"
	"covebridge/bridge/mailbox"
)

// fleet answers with pages of devices, each with two data sources, that were
// made before.
type fleet struct {
	pages [][]byte
	size  int
}

func newFleet(devices, size int, ended time.Time) *fleet {
	f := &fleet{size: size}
	for start := 0; start < devices; start += size {
		var b bytes.Buffer
		b.WriteString(`{"jsonrpc":"2.0","id":"1","result":{"result":[`)
		for i := start; i < min(start+size, devices); i++ {
			if i > start {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, `{"AccountId":%d,"PartnerId":55,"Flags":null,"Settings":[{"I0":"%[1]d"},{"I1":"srv%[1]d_ab12c"},{"I8":"Bolt BV"},{"I14":"123456789"},{"I16":"Windows Server 2019 Standard (17763), 64-bit"},{"I18":"SRV"},{"I32":"2"},{"I59":"1"},{"I78":"D01D02"},{"D09F08":"5555555555555555555555555555"}`, 1000000+i)
			for _, source := range []string{"D01", "D02"} {
				fmt.Fprintf(&b, `,{"%[1]sF00":"5"},{"%[1]sF01":"1000"},{"%[1]sF02":"20"},{"%[1]sF03":"5000000000"},{"%[1]sF04":"70000000"},{"%[1]sF05":"3000000"},{"%[1]sF06":"0"},{"%[1]sF12":"600"},{"%[1]sF15":"%[3]d"},{"%[1]sF17":"5"},{"%[1]sF18":"%[2]d"}`, source, ended.Unix(), ended.Unix()-600)
			}
			b.WriteString("]}")
		}
		b.WriteString(`]}}`)
		f.pages = append(f.pages, b.Bytes())
	}
	return f
}

func (f *fleet) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	switch {
	case bytes.Contains(body, []byte(`"Login"`)):
		io.WriteString(w, `{"visa":"1-2-3-1512736778-ABCDEF0123","result":{"result":{"PartnerId":7}}}`)
	case bytes.Contains(body, []byte("EnumerateAccountStatistics")):
		var start int
		_, after, _ := bytes.Cut(body, []byte(`"StartRecordNumber":`))
		fmt.Sscan(string(after), &start)
		if n := start / f.size; n < len(f.pages) {
			w.Write(f.pages[n])
			return
		}
		io.WriteString(w, `{"result":{"result":[]}}`)
	default:
		io.WriteString(w, `{"result":{"result":[]}}`)
	}
}

// discardingMailbox takes every mail and keeps none.
type discardingMailbox struct{ box }

func (*discardingMailbox) Deliver(_ context.Context, mails []mailbox.Mail, begin func(string) error) []mailbox.Result {
	results := make([]mailbox.Result, len(mails))
	if err := begin("mark"); err != nil {
		for i := range results {
			results[i].Err = err
		}
	}
	return results
}

func benchWorld(b *testing.B, devices int, now time.Time, history bool) (*world, *fleet) {
	f := newFleet(devices, 250, now.Add(-time.Hour))
	server := httptest.NewServer(f)
	b.Cleanup(server.Close)
	w := &world{TB: b, box: &box{}, clock: now, path: filepath.Join(b.TempDir(), "ledger.db"), opts: func(o *bridge.Options) {
		o.Mailbox = &discardingMailbox{}
		o.Collect.History = history
		o.Collect.Now = func() time.Time { return now }
		o.Sources = []bridge.Source{cove.New(cove.Options{Name: "sim", URL: server.URL, ReportingURL: server.URL, NodeURL: server.URL, Username: "u", Password: "pppp", Rate: 1e6})}
	}}
	w.start()
	b.Cleanup(func() { w.Bridge.Close() })
	return w, f
}

// A sweep of 10,000 devices with nothing new, beside a bare scan of the tokens
// of the same pages.
func BenchmarkQuietSweep(b *testing.B) {
	w, f := benchWorld(b, 10000, time.Now(), false)
	if _, err := w.Once(context.Background()); err != nil {
		b.Fatal(err)
	}
	var buffer bytes.Reader
	ratio.Of(b, "scan", func() {
		for _, page := range f.pages {
			buffer.Reset(page)
			dec := jsontext.NewDecoder(&buffer)
			for {
				if _, err := dec.ReadToken(); err != nil {
					break
				}
			}
		}
	}, func() {
		if _, err := w.Once(context.Background()); err != nil {
			b.Fatal(err)
		}
	})
}

// A first poll of 2,000 devices with one run each, mailed at once, beside
// committing the same rows, rendered before, by the ledger alone.
func BenchmarkFirstPoll(b *testing.B) {
	const devices = 2000
	now := time.Now()
	first, _ := benchWorld(b, devices, now, false)
	if _, err := first.Once(context.Background()); err != nil {
		b.Fatal(err)
	}
	var steps []backup.Step
	for _, e := range first.runs() {
		whole, _, err := first.Ledger.Entry(b.Context(), e.Run.ID)
		if err != nil {
			b.Fatal(err)
		}
		record, err := first.Ledger.Load(b.Context(), e.Run.Device.Key())
		if err != nil {
			b.Fatal(err)
		}
		record.Version = 0
		whole.State = backup.EntryQueued
		steps = append(steps, backup.Step{Key: e.Run.Device.Key(), Record: record, Entries: []backup.Entry{whole}})
	}
	ratio.Of(b, "commit", func() {
		w, _ := benchWorld(b, 1, now, false)
		for i := 0; i < len(steps); i += 128 {
			if stale, err := w.Ledger.Commit(b.Context(), steps[i:min(i+128, len(steps))]); err != nil || len(stale) > 0 {
				b.Fatal(stale, err)
			}
		}
	}, func() {
		w, _ := benchWorld(b, devices, now, false)
		s, err := w.Once(context.Background())
		if err != nil || s.Polled[0].Queued != devices {
			b.Fatal(s, err)
		}
	})
}

// First polls of fleets that grow: what a device costs in one of 20,000, beside
// one in one of 1,000.
func BenchmarkFirstPollGrows(b *testing.B) {
	now := time.Now()
	poll := func(devices int) time.Duration {
		w, _ := benchWorld(b, devices, now, false)
		began := time.Now()
		if s, err := w.Once(context.Background()); err != nil || s.Polled[0].Queued != int64(devices) {
			b.Fatal(s, err)
		}
		return time.Since(began)
	}
	var small, large time.Duration
	for b.Loop() {
		small += poll(1000)
		large += poll(20000)
	}
	b.ReportMetric(large.Seconds()/(20*small.Seconds()), "of-linear")
}
