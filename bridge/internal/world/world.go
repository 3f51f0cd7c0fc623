package world

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"covebridge/bridge"
	"covebridge/bridge/backup"
	"covebridge/bridge/collect"
	"covebridge/bridge/cove"
	"covebridge/bridge/deliver"
	"covebridge/bridge/ledger"
	"covebridge/bridge/message"
)

const (
	interval = 15 * time.Minute // between two polls
	maxWait  = 6 * time.Hour    // until a run is overdue
	limit    = 100 * time.Hour  // of silence, longer than any world
	// Calm is how long a world goes on after the last thing that happens in it.
	calm = 8 * time.Hour
)

// World is a plan being carried out.
type World struct {
	Plan
	dir   string
	log   io.Writer
	epoch time.Time
	store *store
	asked *callCounter

	bridges  []*process
	problems []string
	quiet    map[int]int // histories asked for in all, when the last hours began
}

// process is one bridge.
type process struct {
	*processLife
	ledger *ledger.Ledger
	bridge *bridge.Bridge
	stop   context.CancelFunc
	ended  chan struct{}
}

// template is an empty ledger, made once: bringing its schema up to date takes
// longer than many a world.
var template = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "covebridge-world")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "ledger.db")
	l, err := ledger.Open(context.Background(), ledger.Options{SQLite: path})
	if err != nil {
		return nil, err
	}
	if err := l.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// Template makes what all worlds begin with. It is to be called outside of the
// first world's bubble.
func Template() error {
	_, err := template()
	return err
}

// Run carries the plan out, in a synctest bubble, with its files in dir, and
// tells what came out wrong. log gets the bridges' logs.
func (p Plan) Run(dir string, log io.Writer) (problems []string) {
	w := &World{Plan: p.closed(), dir: dir, log: log, epoch: time.Now(), store: &store{}, asked: &callCounter{calls: map[int]int{}}}
	if err := w.run(); err != nil {
		return append(w.problems, err.Error())
	}
	return w.problems
}

func (w *World) run() error {
	empty, err := template()
	if err != nil {
		return err
	}
	if err := os.WriteFile(w.path(), empty, 0o600); err != nil {
		return err
	}
	w.bridges = make([]*process, w.Bridges)
	for i := range w.bridges {
		if err := w.start(i); err != nil {
			return err
		}
	}
	for _, c := range w.moments() {
		time.Sleep(time.Until(w.epoch.Add(c.At)))
		if err := w.happen(c); err != nil {
			return fmt.Errorf("%s: %w", c.Kind, err)
		}
	}
	time.Sleep(time.Until(w.epoch.Add(w.end())))
	for _, p := range w.bridges {
		began := time.Now()
		p.stop()
		<-p.ended
		if took := time.Since(began); took > 5*time.Second {
			w.problem("a bridge took %v to stop", took)
		}
	}
	err = w.check(w.bridges[0].ledger)
	for _, p := range w.bridges {
		err = errors.Join(err, p.bridge.Close())
	}
	return err
}

func (w *World) path() string     { return filepath.Join(w.dir, "ledger.db") }
func (w *World) copyPath() string { return filepath.Join(w.dir, "copy.db") }

// internal events beside a plan's.
const (
	resumed Event = "bridge goes on"
	started Event = "bridge started"
	calmed  Event = "nothing happens any more"
)

// moments are the plan's changes and what follows from them, in their order.
func (w *World) moments() (all []Change) {
	for _, c := range w.Changes {
		all = append(all, c)
		switch c.Kind {
		case Paused:
			all = append(all, Change{Kind: resumed, At: c.At + c.For, Bridge: c.Bridge})
		case Killed:
			all = append(all, Change{Kind: started, At: c.At + c.For, Bridge: c.Bridge})
		}
	}
	all = append(all, Change{Kind: calmed, At: w.end() - calm/4})
	slices.SortStableFunc(all, func(a, b Change) int { return cmp.Compare(a.At, b.At) })
	return all
}

// closed adds to the plan one more backup of each data source, after all else is
// over, as the next day brings it: what was listed too late to be waited for is
// found then, and what never ended is over.
func (p Plan) closed() Plan {
	start := p.last() + time.Hour
	p.Devices = slices.Clone(p.Devices)
	for i := range p.Devices {
		d := &p.Devices[i]
		d.Sessions = slices.Clone(d.Sessions)
		for _, source := range d.sources() {
			d.Sessions = append(d.Sessions, Session{Source: source, Start: start, End: start + 10*time.Minute, Status: completed})
		}
	}
	return p
}

// last is when the last thing of the plan is over.
func (p Plan) last() (t time.Duration) {
	for _, d := range p.Devices {
		for _, s := range d.Sessions {
			if s.Status != inProcess {
				t = max(t, s.End+s.Delay)
			}
			t = max(t, s.Start)
		}
		for _, x := range d.Tests {
			t = max(t, x.End)
		}
	}
	for _, e := range p.Episodes {
		t = max(t, e.To)
	}
	for _, c := range p.Changes {
		t = max(t, c.At+c.For)
	}
	return t
}

func (w *World) end() time.Duration { return w.last() + calm }

func (w *World) happen(c Change) (err error) {
	i := c.Bridge % w.Bridges
	switch c.Kind {
	case Killed:
		return w.kill(i)
	case started:
		if w.bridges[i] == nil {
			return w.start(i)
		}
	case Paused:
		if w.bridges[i] != nil {
			w.bridges[i].pause()
		}
	case resumed:
		if w.bridges[i] != nil {
			w.bridges[i].resume()
		}
	case Copied:
		return w.backUp()
	case Restored:
		return w.restore()
	case calmed:
		w.asked.mu.Lock()
		defer w.asked.mu.Unlock()
		w.quiet = map[int]int{}
		for d, n := range w.asked.calls {
			w.quiet[d] = n
		}
	}
	return nil
}

// start starts a bridge on the ledger.
func (w *World) start(i int) error {
	p := &process{processLife: &processLife{}, ended: make(chan struct{})}
	clock := func() time.Time { return time.Now().Add(w.clockOff()) }
	var err error
	ctx := context.Background()
	if p.ledger, err = ledger.Open(ctx, ledger.Options{SQLite: w.path(), Shared: w.Bridges > 1, Now: clock}); err != nil {
		return err
	}
	if err := p.ledger.Hold(ctx); err != nil {
		return err
	}
	renderer, err := message.New(message.Options{From: "cove@msp.example", To: []string{"backups@msp.example"}, Location: time.UTC})
	if err != nil {
		return err
	}
	job, err := collect.NewJob("{{.Device.Name}}")
	if err != nil {
		return err
	}
	client := cove.New(cove.Options{
		Name: "msp", URL: "http://cove.test/jsonapi", ReportingURL: "http://cove.test/reporting_api", NodeURL: "http://HOST/repserv_json",
		RecoveryURL: "http://cove.test/recovery", Username: "u", Password: "secret-password", PageSize: 2, Rate: 1000, Concurrency: 2, Now: clock,
		Transport: &script{Plan: w.Plan, epoch: w.epoch, processLife: p.processLife, asked: w.asked},
	})
	d := &disk{plan: w.Plan, epoch: w.epoch, processLife: p.processLife, Ledger: p.ledger}
	p.bridge = bridge.New(bridge.Options{
		Sources: []bridge.Source{source{client}}, Ledger: p.ledger, Mailbox: &box{plan: w.Plan, epoch: w.epoch, processLife: p.processLife, store: w.store},
		Log: slog.New(slog.NewTextHandler(w.log, nil)).With("bridge", i), Interval: interval,
		Deliver: deliver.Options{Outbox: outbox{d, bridge.Outbox{Ledger: p.ledger}}, Connections: 2, Batch: 4, Idle: 2 * time.Minute},
		Collect: collect.Options{
			Journals: d, Renderer: renderer, Job: job, Sweep: 3 * time.Hour, Baseline: 24 * time.Hour, History: true, Recovery: true, Concurrency: 2, Now: clock,
			Rules: backup.Rules{Window: 10 * time.Minute, MaxWait: maxWait, Silence: map[string]time.Duration{
				backup.Server: limit, backup.Workstation: limit, backup.Microsoft365: limit}},
		},
	})
	running, stop := context.WithCancel(ctx)
	p.stop = stop
	go func() {
		defer close(p.ended)
		p.bridge.Run(running)
	}()
	w.bridges[i] = p
	return nil
}

// source is a client that needs no check.
type source struct{ *cove.Client }

// Check has nothing to say.
func (source) Check(context.Context) (string, error) { return "", nil }

// clockOff is by how much the bridges' clocks are off now.
func (w *World) clockOff() time.Duration {
	switch now := time.Since(w.epoch); {
	case w.during(now, OwnClockOff, -1):
		return 7 * 24 * time.Hour
	case w.during(now, OwnClockBack, -1):
		return -7 * 24 * time.Hour
	}
	return 0
}

// kill ends a bridge as a crash would: from now on nothing of it gets out.
func (w *World) kill(i int) error {
	p := w.bridges[i]
	if p == nil {
		return nil
	}
	w.bridges[i] = nil
	p.kill()
	p.stop()
	<-p.ended
	return p.bridge.Close()
}

// backUp copies the ledger as an administrator would, while bridges work on it.
func (w *World) backUp() error {
	db, err := sql.Open("sqlite", w.path())
	if err != nil {
		return err
	}
	defer db.Close()
	if err := os.Remove(w.copyPath()); err != nil && !os.IsNotExist(err) {
		return err
	}
	_, err = db.Exec("VACUUM INTO ?", w.copyPath())
	return err
}

// restore puts the copy back, with all bridges stopped, and starts them.
func (w *World) restore() error {
	if _, err := os.Stat(w.copyPath()); err != nil {
		return nil // it was never copied
	}
	for i := range w.bridges {
		if err := w.kill(i); err != nil {
			return err
		}
	}
	for _, more := range []string{"-wal", "-shm"} {
		if err := os.Remove(w.path() + more); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	old, err := os.ReadFile(w.copyPath())
	if err != nil {
		return err
	}
	if err := os.WriteFile(w.path(), old, 0o600); err != nil {
		return err
	}
	for i := range w.bridges {
		if err := w.start(i); err != nil {
			return err
		}
	}
	return nil
}

func (w *World) problem(format string, args ...any) {
	w.problems = append(w.problems, fmt.Sprintf(format, args...))
}
