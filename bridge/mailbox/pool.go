package mailbox

import (
	"context"
	"fmt"
	"sync"
)

// conn is a connection that a pool keeps.
type conn interface {
	reusable() bool // may be used again; asks only what is known without the network
	close()
}

// pool hands out connections, at most as many at a time as it has slots, and
// keeps those that were given back for the next use.
type pool[C conn] struct {
	dial func(context.Context) (C, error)

	slots chan struct{}

	mu     sync.Mutex
	idle   []C
	closed bool
}

func newPool[C conn](size int, dial func(context.Context) (C, error)) *pool[C] {
	return &pool[C]{dial: dial, slots: make(chan struct{}, size)}
}

// get gives a connection on which ready, the last look before use, went well.
// One that died while idle is replaced without a word. The caller gives it
// back with put.
func (p *pool[C]) get(ctx context.Context, ready func(context.Context, C) error) (C, error) {
	var none C
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return none, fmt.Errorf("all connections are busy: %w", ctx.Err())
	}
	for {
		c, ok := p.pop()
		if !ok {
			break
		}
		if c.reusable() && ready(ctx, c) == nil {
			return c, nil
		}
		c.close()
	}
	c, err := p.dialReady(ctx, ready)
	if err != nil {
		<-p.slots
	}
	return c, err
}

// dialReady dials a connection and gets it ready. It takes no slot.
func (p *pool[C]) dialReady(ctx context.Context, ready func(context.Context, C) error) (C, error) {
	var none C
	p.mu.Lock()
	closed := p.closed
	p.mu.Unlock()
	if closed {
		return none, errClosed
	}
	c, err := p.dial(ctx)
	if err != nil {
		return none, err
	}
	if err := ready(ctx, c); err != nil {
		c.close()
		return none, err
	}
	return c, nil
}

func (p *pool[C]) pop() (c C, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.idle)
	if n == 0 {
		return c, false
	}
	c = p.idle[n-1]
	p.idle = p.idle[:n-1]
	return c, true
}

// put gives a connection back for others to use, or closes it if it is not fit.
func (p *pool[C]) put(c C) {
	p.mu.Lock()
	keep := !p.closed && c.reusable()
	if keep {
		p.idle = append(p.idle, c)
	}
	p.mu.Unlock()
	if !keep {
		c.close()
	}
	<-p.slots
}

// close closes the idle connections. Those in use are closed when given back.
func (p *pool[C]) close() {
	p.mu.Lock()
	idle := p.idle
	p.idle, p.closed = nil, true
	p.mu.Unlock()
	for _, c := range idle {
		c.close()
	}
}
