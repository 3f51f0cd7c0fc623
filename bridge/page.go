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

// pageRetry is the time between two tries to serve the page.
const pageRetry = time.Minute

// page is the status page, as web.Server serves it.
type page interface {
	Start(context.Context) error
	Addr() string
	Close() error
}

func (b *Bridge) newPage() page {
	return web.New(web.Options{
		Listen: b.HTTP.Listen, Token: string(b.HTTP.Token), Bridge: b, Ledger: b.Ledger, Metrics: b.Metrics, Zone: b.Location,
		Errors: slog.NewLogLogger(b.Log.Handler(), slog.LevelDebug),
	})
}

// serve serves the page until ctx ends. Where that can't be done, as where the
// port is taken, the bridge works on and it is tried again.
func (b *Bridge) serve(ctx context.Context) {
	for {
		err := b.page.Start(ctx)
		if ctx.Err() == nil {
			b.setFinding(pageDown, "", err != nil, fmt.Sprint(err), "set http.listen to an address that is free, or to off")
		}
		if err == nil {
			break
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pageRetry):
		}
	}
	b.Log.Info("the status page is served", "url", "http://"+b.page.Addr()+"/")
	<-ctx.Done()
	if err := b.page.Close(); err != nil {
		b.Log.Warn("the status page ended badly", "why", err)
	}
}

// PollNow has a running bridge poll an account at once.
func (b *Bridge) PollNow(account string) error {
	request, known := b.pollRequests[account]
	if !known {
		return fmt.Errorf("this covebridge polls no account %q", account)
	}
	select {
	case request <- struct{}{}:
		return nil
	default:
		return fmt.Errorf("%s is being polled at this moment, or is not polled any more, for its login is refused", account)
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
