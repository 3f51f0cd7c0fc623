package deliver

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"covebridge/bridge/backup"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a Deliverer between a ledger and a mailbox in memory, in a time that
// passes as fast as nothing happens.
type rig struct {
	t *testing.T
	*Deliverer
	store *store
	out   *outbox
	box   *box
	log   *lines
}

func with(t *testing.T, test func(r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{t: t, store: newStore(), box: newBox()}
		r.out = r.store.of("a")
		r.log = &lines{}
		r.Deliverer = r.deliverer(r.out, 1)
		test(r)
	})
}

func (r *rig) deliverer(out Outbox, connections int) *Deliverer {
	return New(Options{Outbox: out, Mailbox: r.box, Log: slog.New(slog.NewTextHandler(r.log, nil)), Connections: connections})
}

// start runs the Deliverer; stop ends it and tells how long that took.
func (r *rig) start() (stop func() time.Duration) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		r.Run(ctx)
		close(ended)
	}()
	return func() time.Duration {
		began := time.Now()
		cancel()
		<-ended
		return time.Since(began)
	}
}

// during runs the Deliverer for so long.
func (r *rig) during(d time.Duration) {
	stop := r.start()
	time.Sleep(d)
	stop()
}

// want checks how many mails that begin so came, each once.
func (r *rig) want(prefix string, n int) {
	r.t.Helper()
	if came := r.box.came(prefix); came != n {
		r.t.Errorf("%d mails of %q came, not %d", came, prefix, n)
	}
	r.box.mu.Lock()
	defer r.box.mu.Unlock()
	for id, times := range r.box.there {
		if times > 1 {
			r.t.Errorf("%s came %d times", id, times)
		}
	}
}

// wantStates checks how many entries are in each state.
func (r *rig) wantStates(sent, queued, sending, failed int) {
	r.t.Helper()
	got := [4]int{r.store.count(backup.EntrySent), r.store.count(backup.EntryQueued), r.store.count(backup.EntrySending), r.store.count(backup.EntryFailed)}
	if want := [4]int{sent, queued, sending, failed}; got != want {
		r.t.Errorf("sent, queued, sending, failed are %v, not %v", got, want)
	}
}

// lines is a log.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// with gives the lines that hold a text.
func (l *lines) with(text string) (some []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.text.String()) {
		if strings.Contains(line, text) {
			some = append(some, line)
		}
	}
	return some
}

// alarms gives what is no mere news.
func (l *lines) alarms() []string { return append(l.with("level=WARN"), l.with("level=ERROR")...) }
