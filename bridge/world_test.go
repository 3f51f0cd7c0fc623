package bridge_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"covebridge/bridge"
	"covebridge/bridge/backup"
	"covebridge/bridge/ledger"
	"covebridge/bridge/message"
)

var epoch = time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)

// world is a product, a mailbox and a bridge between them.
type world struct {
	testing.TB
	*product
	*box
	*bridge.Bridge
	clock time.Time // the ledger's
	path  string    // of an SQLite ledger
	url   string    // of a PostgreSQL ledger, instead
	lease time.Duration
	opts  func(*bridge.Options)
}

func newWorld(t testing.TB, opts func(*bridge.Options)) *world {
	w := &world{
		TB:      t,
		product: &product{name: "acme", now: epoch, truth: map[string][]backup.Session{}, asked: map[string]int64{}, late: map[string]bool{}},
		box:     &box{},
		clock:   epoch,
		path:    filepath.Join(t.TempDir(), "ledger.db"),
		opts:    opts,
	}
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
	job, err := bridge.NewJob("{{.Device.Name}}")
	if err != nil {
		w.Fatal(err)
	}
	o := bridge.Options{
		Sources: []bridge.Source{w.product}, Ledger: l, Mailbox: w.box, Renderer: r, Log: slog.New(slog.DiscardHandler),
		Connections: 2, Rules: backup.Rules{Window: 10 * time.Minute}, Interval: 15 * time.Minute, Sweep: time.Hour,
		Baseline: 24 * time.Hour, MaxWait: 24 * time.Hour, History: true, Concurrency: 2, Job: job,
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

// device adds a device; its sessions are read from lines such as
// "Files 01:00-01:30 Failed", with hours after the epoch.
func (w *world) device(id, lines string) backup.Device {
	w.Helper()
	d := backup.Device{Product: "acme", Software: "Acme Backup", ID: id, Name: "srv" + id, Customer: "Bolt BV", Type: backup.Server, UsedStorage: backup.Unknown, Created: epoch.AddDate(-1, 0, 0)}
	w.devices = append(w.devices, d)
	for line := range strings.SplitSeq(strings.TrimSpace(lines), "\n") {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		start, end, _ := strings.Cut(words[1], "-")
		s := backup.Session{
			ID: fmt.Sprintf("%s-%d", id, len(w.truth[id])), Source: backup.DataSource{Key: words[0], Name: words[0]},
			State: backup.Ended, Result: "ended", Start: w.at(start), End: w.at(end),
		}
		if len(words) > 2 {
			var err error
			if s.Status, err = backup.ParseStatus(words[2]); err != nil {
				w.Fatal(err)
			}
		}
		w.truth[id] = append(w.truth[id], s)
	}
	return d
}

func (w *world) at(clock string) time.Time {
	w.Helper()
	var h, m int
	if _, err := fmt.Sscanf(clock, "%d:%d", &h, &m); err != nil {
		w.Fatal(err)
	}
	return epoch.Add(time.Duration(h)*time.Hour + time.Duration(m)*time.Minute)
}

// until moves both clocks and polls and delivers once.
func (w *world) until(clock string) bridge.Summary {
	w.Helper()
	step := w.at(clock).Sub(w.now)
	w.advance(step)
	w.clock = w.clock.Add(step)
	s, err := w.Once(context.Background())
	if err != nil {
		w.Fatal(err)
	}
	return s
}

// subjects lists the mails in the order of their arrival.
func (w *world) subjects() (subjects []string) {
	for _, id := range w.mails {
		_, after, _ := strings.Cut(w.texts[id], "Subject: ")
		subject, _, _ := strings.Cut(after, "\n")
		subjects = append(subjects, subject)
	}
	return subjects
}

func (w *world) want(subjects ...string) {
	w.Helper()
	if got := w.subjects(); !slices.Equal(got, subjects) {
		w.Errorf("mails:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(subjects, "\n"))
	}
}
