package bridge_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"covebridge/bridge"
	"covebridge/bridge/backup"
	"covebridge/bridge/collect"
	"covebridge/bridge/deliver"
	"covebridge/bridge/ledger"
	"covebridge/bridge/message"
)

var epoch = time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)

// world is a mailbox in memory and a bridge that delivers into it.
type world struct {
	testing.TB
	*box
	*bridge.Bridge
	clock time.Time // the ledger's
	path  string    // of an SQLite ledger
	url   string    // of a PostgreSQL ledger, instead
	lease time.Duration
	opts  func(*bridge.Options)
}

func newWorld(t testing.TB, opts func(*bridge.Options)) *world {
	w := &world{TB: t, box: &box{}, clock: epoch, path: filepath.Join(t.TempDir(), "ledger.db"), opts: opts}
	w.start()
	t.Cleanup(func() { w.Bridge.Close() })
	return w
}

// start makes the bridge; after stop or a crash, a new one on the same ledger.
func (w *world) start() {
	w.Helper()
	where := ledger.Options{SQLite: w.path, Now: func() time.Time { return w.clock }}
	if w.url != "" {
		where = ledger.Options{Postgres: w.url, Lease: w.lease}
	}
	l, err := ledger.Open(context.Background(), where)
	if err != nil {
		w.Fatal(err)
	}
	if err := l.Hold(context.Background()); err != nil {
		w.Fatal(err)
	}
	r, err := message.New(message.Options{From: "cove@msp.example", To: []string{"backups@msp.example"}})
	if err != nil {
		w.Fatal(err)
	}
	job, err := collect.NewJob("{{.Device.Name}}")
	if err != nil {
		w.Fatal(err)
	}
	o := bridge.Options{
		Ledger: l, Mailbox: w.box, Log: slog.New(slog.DiscardHandler), Interval: 15 * time.Minute,
		Deliver: deliver.Options{Connections: 2},
		Collect: collect.Options{
			Renderer: r, Job: job, Sweep: time.Hour, Baseline: 24 * time.Hour, History: true, Concurrency: 4,
			Rules: backup.Rules{Window: 10 * time.Minute, MaxWait: 24 * time.Hour}, Now: func() time.Time { return w.clock },
		},
	}
	if w.opts != nil {
		w.opts(&o)
	}
	w.Bridge = bridge.New(o)
}

// restart ends the bridge as a crash would, and starts a new one.
func (w *world) restart() {
	w.Helper()
	if err := w.Bridge.Close(); err != nil {
		w.Fatal(err)
	}
	w.start()
}

// queue puts a run of each device into the outbox.
func (w *world) queue(status backup.Status, names ...string) {
	w.Helper()
	var steps []backup.Step
	for _, name := range names {
		device, _, _ := strings.Cut(name, "-")
		d := backup.Device{Product: "acme", Software: "Acme Backup", ID: device, Name: device, Type: backup.Server}
		run := backup.Run{ID: "acme-" + name, Kind: backup.Whole, Job: device, Device: d, Status: status, Start: w.clock, End: w.clock}
		mail := []byte("Message-ID: <" + run.ID + "@covebridge>\r\nSubject: " + name + "\r\n\r\n" + strings.Repeat("mail\r\n", 500))
		record, err := w.Ledger.Load(w.Context(), d.Key())
		if err != nil {
			w.Fatal(err)
		}
		record.Journal.Device = d
		steps = append(steps, backup.Step{Key: d.Key(), Record: record, Entries: []backup.Entry{
			{Run: run, State: backup.EntryQueued, MessageID: run.ID + "@covebridge", Mail: mail},
		}})
	}
	if stale, err := w.Ledger.Commit(w.Context(), steps); err != nil || len(stale) > 0 {
		w.Fatal(stale, err)
	}
}

// runs gives all runs of the ledger.
func (w *world) runs() []backup.Entry {
	w.Helper()
	all, err := w.Ledger.Entries(w.Context(), ledger.Query{})
	if err != nil {
		w.Fatal(err)
	}
	return all
}
