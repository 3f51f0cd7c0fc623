package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"covebridge/bridge"
	"covebridge/bridge/config"
	"covebridge/bridge/status"
)

// serve runs bridges one after the other until ctx ends: SIGHUP ends one and
// begins the next, by the configuration read anew. One that can't be used
// changes nothing.
func (a *app) serve(ctx context.Context) error {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	current, _, err := a.load()
	if err != nil {
		return unlessStopped(ctx, err)
	}
	var before *config.Config // that worked
	for {
		b, err := a.start(ctx, current)
		switch {
		case err != nil && before != nil && ctx.Err() == nil:
			a.log.Error("the new configuration can't be used, the one before is: correct it, and reload again", "why", err)
			current, before = before, nil
			continue
		case err != nil:
			return unlessStopped(ctx, err)
		}
		next, err := a.untilReload(ctx, b, hangups)
		if err != nil || next == nil {
			return err
		}
		before, current = current, next
	}
}

// start is begin, and tells the log.
func (a *app) start(ctx context.Context, c *config.Config) (*bridge.Bridge, error) {
	b, err := a.begin(ctx, c, a.logger(c.Log))
	if err != nil {
		return nil, err
	}
	b.Log.Info("covebridge runs", "version", version(), "accounts", len(b.Sources), "interval", b.Interval, "ledger", b.Ledger.String())
	return b, nil
}

// untilReload runs the bridge, and gives the configuration to go on with; nil:
// ctx has ended.
func (a *app) untilReload(ctx context.Context, b *bridge.Bridge, hangups <-chan os.Signal) (next *config.Config, err error) {
	supervised, forget := context.WithCancel(ctx)
	defer forget()
	b.OnStatus = func(s status.Status) { notify(b.Log, "STATUS="+s.Line()) }
	notify(b.Log, ready)
	go keepAlive(supervised, b)

	first := a.progress("devices", "asking Cove")
	defer first.end()
	b.OnProgress(first.update)
	b.OnPolled = first.end
	running, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() { defer close(ended); b.Run(running) }()
	for next == nil && ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-hangups:
			var wrong error
			if next, _, wrong = a.load(); wrong != nil {
				b.Log.Error("the configuration can't be used, the one before is: correct it, and reload again", "why", wrong)
			}
		}
	}
	if next == nil {
		notify(b.Log, stopping)
	} else {
		b.Log.Info("the configuration was read anew")
		notify(b.Log, reloading())
	}
	first.end()
	defer a.spinner("finishing what is under way")()
	stop()
	<-ended
	return next, b.Close()
}
