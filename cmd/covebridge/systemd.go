package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"covebridge/bridge"
)

const (
	ready    = daemon.SdNotifyReady
	stopping = daemon.SdNotifyStopping
)

// reloading says that the configuration is being read anew (sd_notify(3)).
func reloading() string {
	return daemon.SdNotifyReloading + "\n" + daemon.SdNotifyMonotonicUsec()
}

// notify tells systemd, where it listens.
func notify(log *slog.Logger, state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		log.Debug("systemd was not told", "what", state, "why", err)
	}
}

// keepAlive tells systemd's watchdog that the bridge makes progress, as long as
// it does.
func keepAlive(ctx context.Context, b *bridge.Bridge) {
	every, err := daemon.SdWatchdogEnabled(false)
	if err != nil || every == 0 {
		return
	}
	tick := time.NewTicker(every / 3)
	defer tick.Stop()
	for stalled := false; ; {
		if err := b.Stalled(); err == nil {
			stalled = false
			notify(b.Log, daemon.SdNotifyWatchdog)
		} else if !stalled {
			stalled = true
			b.Log.Error("the watchdog is not told any more that all is well, so that systemd starts covebridge anew", "why", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
