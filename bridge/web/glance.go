package web

import (
	"context"
	"sync"
	"time"

	"covebridge/bridge/status"
)

const (
	fresh       = 2 * time.Second  // however many visitors there are, the ledger is read so seldom
	statusLimit = 10 * time.Second // that reading it may take
)

// glance is the bridge's status as of a moment ago.
type glance struct {
	read func(context.Context) (status.Status, error)

	mu     sync.Mutex
	at     time.Time
	status status.Status
	err    error
}

func (g *glance) look() (status.Status, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.at.IsZero() || time.Since(g.at) >= fresh {
		ctx, done := context.WithTimeout(context.Background(), statusLimit)
		defer done()
		g.status, g.err = g.read(ctx)
		g.at = time.Now()
	}
	return g.status, g.err
}
