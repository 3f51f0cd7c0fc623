package bridge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/web"
)

// pageAgain is the time between two tries to serve the page.
const pageAgain = time.Minute

// page is the status page, as web.Server serves it.
type page interface {
	Start(context.Context) error
	Addr() string
	Close() error
}

func (b *Bridge) newPage() page {
	return web.New(web.Options{
		Listen: b.HTTP.Listen, Token: string(b.HTTP.Token), Bridge: b, Metrics: b.Metrics,
		Errors: slog.NewLogLogger(b.Log.Handler(), slog.LevelDebug),
	})
}

// serve serves the page until ctx ends. Where that can't be done, as where the
// port is taken, the bridge works on and it is tried again.
func (b *Bridge) serve(ctx context.Context) {
	for {
		err := b.page.Start(ctx)
		if ctx.Err() == nil {
			b.condition(pageDown, "", err != nil, fmt.Sprint(err), "set http.listen to an address that is free, or to off")
		}
		if err == nil {
			break
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pageAgain):
		}
	}
	b.Log.Info("the status page is served", "url", "http://"+b.page.Addr()+"/")
	<-ctx.Done()
	if err := b.page.Close(); err != nil {
		b.Log.Warn("the status page ended badly", "why", err)
	}
}

// Deliveries counts deliveries by outcome since the bridge was made.
func (b *Bridge) Deliveries() map[string]int64 {
	c := b.deliverer.Total()
	return map[string]int64{"sent": c.Sent, "found": c.Found, "retried": c.Retried, "failed": c.Failed}
}

// outcome is what a poll came to, for web.Metrics.
func outcome(p Polled, err error) string {
	switch {
	case errors.Is(err, backup.ErrRefused):
		return "refused"
	case err != nil:
		return "failed"
	case p.Elsewhere:
		return "elsewhere"
	}
	return "ok"
}
