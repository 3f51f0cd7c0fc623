package bridge

import (
	"fmt"
	"sync"
	"time"
)

// How long a part may make no progress. A poll gets on with each page and each
// device; the slowest of either is a call that is tried again for as long as
// Cove asks for patience. Deliveries look around every few seconds, whatever the
// mailbox does.
const (
	pollTimeout    = 30 * time.Minute
	deliverTimeout = 5 * time.Minute
)

// The parts of a bridge.
const (
	polling  = "the poll of "
	delivery = "the delivery"
)

// watchdog knows by when each part of the bridge is to get on.
type watchdog struct {
	mu    sync.Mutex
	parts map[string]deadline
}

type deadline struct{ last, due time.Time }

// expect says that a part got on, and will again within limit.
func (p *watchdog) expect(part string, limit time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.parts == nil {
		p.parts = map[string]deadline{}
	}
	now := time.Now()
	p.parts[part] = deadline{now, now.Add(limit)}
}

// remove says that a part has ended, as it should.
func (p *watchdog) remove(part string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.parts, part)
}

// Stalled tells which part of a running bridge makes no progress though it
// should: its error says since when. A process whose bridge is stalled is to be
// started anew; nothing is lost or sent twice by that. An ill mailbox or a Cove
// that does not answer stalls nothing.
func (b *Bridge) Stalled() error {
	p := &b.self.watchdog
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	for part, beat := range p.parts {
		if now.After(beat.due) {
			return fmt.Errorf("%s makes no progress since %s", part, beat.last.In(b.Location).Format("15:04:05 MST"))
		}
	}
	return nil
}
