package web

import (
	"context"
	"sync"
	"time"

	"covebridge/bridge/status"
)

const (
	maxAge      = 2 * time.Second  // however many visitors there are, the ledger is read so seldom
	statusLimit = 10 * time.Second // that reading it may take
)

// statusCache is the bridge's status as of a moment ago.
type statusCache struct {
	read func(context.Context) (status.Status, error)

	mu     sync.Mutex
	readAt time.Time
	status status.Status
	err    error
}

func (g *statusCache) get() (status.Status, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.readAt.IsZero() || time.Since(g.readAt) >= maxAge {
		ctx, done := context.WithTimeout(context.Background(), statusLimit)
		defer done()
		g.status, g.err = g.read(ctx)
		g.readAt = time.Now()
	}
	return g.status, g.err
}
