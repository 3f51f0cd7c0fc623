package bridge_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"covebridge/bridge"
	"covebridge/bridge/backup"
	"covebridge/bridge/ledger"
	"covebridge/bridge/mailbox"
)

// orderBox takes every mail, and keeps of each only when it came.
type orderBox struct {
	box
	mu   sync.Mutex
	came []string // Message-IDs
	peak uint64   // of the heap, in bytes
}

func (b *orderBox) Deliver(_ context.Context, m mailbox.Mail, begin func(string) error) (string, error) {
	if err := begin("mark"); err != nil {
		return "", err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.came = append(b.came, m.MessageID)
	if len(b.came)%1000 == 0 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		b.peak = max(b.peak, m.HeapAlloc)
	}
	return "taken", nil
}

// After an outage many runs wait: they drain in bounded memory, each device's in
// the order of their ends, devices with failures first, while polls go on.
func TestTortureLoad(t *testing.T) {
	const devices = 500
	each := times(4, 100)
	mails := &orderBox{}
	w := newWorld(t, func(o *bridge.Options) { o.Mailbox = mails })
	d := w.device("polled", "Files 01:00-01:10\nFiles 02:00-02:10")
	var entries []ledger.Entry
	for id := range devices {
		for n := range each {
			d := d
			d.ID = fmt.Sprintf("%04d", id)
			end := epoch.Add(time.Duration(n) * time.Minute)
			run := backup.Run{ID: fmt.Sprintf("acme-%s-%05d", d.ID, n), Kind: backup.Whole, Job: d.ID, Device: d, Start: end, End: end}
			if id%10 == 0 && n == each/2 {
				run.Status = backup.Failed
			}
			entries = append(entries, ledger.Entry{Run: run, State: ledger.Queued, MessageID: run.ID, Mail: []byte(strings.Repeat("mail", 1000))})
		}
		if _, err := w.Ledger.Commit(context.Background(), entries...); err != nil {
			t.Fatal(err)
		}
		entries = entries[:0]
	}
	w.advance(3 * time.Hour)
	began := time.Now()
	s, err := w.Once(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	took := time.Since(began)
	if want := devices*each + 2; len(mails.came) != want || s.Polled[0].Queued != 2 {
		t.Errorf("%d mails, want %d; polled %+v", len(mails.came), want, s.Polled)
	}
	last, failing := map[string]string{}, 0
	for i, id := range mails.came {
		device := id[:strings.LastIndex(id, "-")]
		if id <= last[device] {
			t.Errorf("%s came after %s", id, last[device])
		}
		last[device] = id
		// Up to the failure its device goes before those without.
		if strings.HasSuffix(device, "0") && id <= fmt.Sprintf("%s-%05d", device, each/2) {
			failing = i
		}
	}
	if most := devices / 10 * (each/2 + 1) * 11 / 10; failing > most {
		t.Errorf("the last failure came as number %d, want %d at the latest", failing, most)
	}
	t.Logf("%d mails in %s, %.0f a second; heap at most %d MB", len(mails.came), took.Round(time.Millisecond), float64(len(mails.came))/took.Seconds(), mails.peak>>20)
	if mails.peak > 200<<20 {
		t.Errorf("%d MB of heap", mails.peak>>20)
	}
}
