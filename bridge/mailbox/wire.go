package mailbox

import (
	"context"
	"fmt"
	"net"
	"os"
	"sync"
	"time"
)

// wire is the connection that a protocol client speaks on. No call of the
// clients ends by itself when the server falls silent: wire closes itself
// under them when their time is over.
type wire struct {
	net.Conn
	raw     net.Conn           // below TLS; closing it ends every wait at once
	check   func([]byte) error // looks at what comes in; its error ends the reading
	silence time.Duration      // a server that moves no byte for so long is given up

	used   time.Time // when the server last answered
	broken bool      // nobody knows where in the conversation it is

	mu      sync.Mutex
	watched bool
	silent  bool
	timer   *time.Timer
}

// maxSilence is the usual limit of silence. Mails are small.
const maxSilence = time.Minute

func newWire(conn, raw net.Conn, silence time.Duration) *wire {
	w := &wire{Conn: conn, raw: raw, silence: silence}
	w.timer = time.AfterFunc(silence, w.expire)
	w.timer.Stop()
	return w
}

// within does what talks to the server, for at most limit, and ends it when
// ctx ends or the server falls silent. An answer of the server, also a
// refusal, leaves the connection in use; any other error does not.
func (w *wire) within(ctx context.Context, limit time.Duration, do func() error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	w.watch()
	stop := context.AfterFunc(ctx, func() { w.raw.Close() })
	err := do()
	ended := !stop()
	silent := w.unwatch()
	w.broken = w.broken || ended || silent
	if err == nil || answered(err) {
		w.used = time.Now()
		return err
	}
	w.broken = true
	if silent && ctx.Err() == nil {
		return fmt.Errorf("no answer for %v: %w", w.silence, os.ErrDeadlineExceeded)
	}
	return noAnswer(ctx, err)
}

func (w *wire) watch() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.watched, w.silent = true, false
	w.timer.Reset(w.silence)
}

func (w *wire) unwatch() (silent bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.watched = false
	w.timer.Stop()
	return w.silent
}

func (w *wire) expire() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.watched {
		w.silent = true
		w.raw.Close()
	}
}

// allow changes how long the server may be silent.
func (w *wire) allow(silence time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.silence = silence
	if w.watched {
		w.timer.Reset(silence)
	}
}

// moved notes that the line is alive.
func (w *wire) moved() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.watched {
		w.timer.Reset(w.silence)
	}
}

// Read implements net.Conn.
func (w *wire) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	if n > 0 {
		w.moved()
		if w.check != nil {
			if err := w.check(p[:n]); err != nil {
				return 0, err
			}
		}
	}
	return n, err
}

// Write implements net.Conn.
func (w *wire) Write(p []byte) (int, error) {
	n, err := w.Conn.Write(p)
	if n > 0 {
		w.moved()
	}
	return n, err
}

// hangUp closes the connection after a goodbye that gets a second at most.
func (w *wire) hangUp(goodbye func()) {
	if !w.broken {
		timer := time.AfterFunc(time.Second, func() { w.raw.Close() })
		goodbye()
		timer.Stop()
	}
	w.broken = true
	w.raw.Close()
}
