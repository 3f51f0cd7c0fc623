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
	raw         net.Conn           // below TLS; closing it ends every wait at once
	inspect     func([]byte) error // looks at what comes in; its error ends the reading
	idleTimeout time.Duration      // a server that moves no byte for so long is given up

	used   time.Time // when the server last answered
	broken bool      // nobody knows where in the conversation it is

	mu       sync.Mutex
	timing   bool
	timedOut bool
	timer    *time.Timer
}

// defaultIdleTimeout is the usual limit of silence. Mails are small.
const defaultIdleTimeout = time.Minute

func newWire(conn, raw net.Conn, idleTimeout time.Duration) *wire {
	w := &wire{Conn: conn, raw: raw, idleTimeout: idleTimeout}
	w.timer = time.AfterFunc(idleTimeout, w.expire)
	w.timer.Stop()
	return w
}

// withTimeout does what talks to the server, for at most limit, and ends it when
// ctx ends or the server falls silent. An answer of the server, also a
// refusal, leaves the connection in use; any other error does not.
func (w *wire) withTimeout(ctx context.Context, limit time.Duration, do func() error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	w.startTimer()
	stop := context.AfterFunc(ctx, func() { w.raw.Close() })
	err := do()
	ended := !stop()
	silent := w.stopTimer()
	w.broken = w.broken || ended || silent
	if err == nil || isServerReply(err) {
		w.used = time.Now()
		return err
	}
	w.broken = true
	if silent && ctx.Err() == nil {
		return fmt.Errorf("no answer for %v: %w", w.idleTimeout, os.ErrDeadlineExceeded)
	}
	return contextError(ctx, err)
}

func (w *wire) startTimer() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timing, w.timedOut = true, false
	w.timer.Reset(w.idleTimeout)
}

func (w *wire) stopTimer() (silent bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timing = false
	w.timer.Stop()
	return w.timedOut
}

func (w *wire) expire() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timing {
		w.timedOut = true
		w.raw.Close()
	}
}

// setIdleTimeout changes how long the server may be silent.
func (w *wire) setIdleTimeout(timeout time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.idleTimeout = timeout
	if w.timing {
		w.timer.Reset(timeout)
	}
}

// touch notes that the line is alive.
func (w *wire) touch() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timing {
		w.timer.Reset(w.idleTimeout)
	}
}

// Read implements net.Conn.
func (w *wire) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	if n > 0 {
		w.touch()
		if w.inspect != nil {
			if err := w.inspect(p[:n]); err != nil {
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
		w.touch()
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
