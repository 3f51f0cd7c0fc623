package bridge_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"covebridge/bridge"
	"covebridge/bridge/collect"
	"covebridge/bridge/ledger"
)

// stuckSource never answers, and stuckOutbox neither, whatever their contexts say.
type stuckSource struct {
	collect.Source
	until chan struct{}
}

func (s stuckSource) Name() string { return "acme" }
func (s stuckSource) Clock(context.Context) (time.Time, error) {
	<-s.until
	return time.Time{}, context.Canceled
}
func (s stuckSource) Check(context.Context) (string, error) { return "", nil }

type stuckOutbox struct {
	bridge.Outbox
	until chan struct{}
}

func (s stuckOutbox) NextDue(context.Context) (time.Duration, bool, error) {
	<-s.until
	return 0, false, context.Canceled
}

// A part that hangs for longer than anything it waits for is told of; one that
// waits for its next poll is not.
func TestStalled(t *testing.T) {
	for _, c := range []struct {
		name        string
		source, box bool // stuck
		after       time.Duration
		want        string
	}{
		{"poll", true, false, 31 * time.Minute, "the poll of acme makes no progress since 00:00:00 UTC"},
		{"delivery", false, true, 6 * time.Minute, "the delivery makes no progress since 00:00:00 UTC"},
		{"neither", false, false, 2 * time.Hour, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, err := ledger.Open(t.Context(), ledger.Options{SQLite: ":memory:"})
				if err != nil {
					t.Fatal(err)
				}
				until := make(chan struct{})
				o := bridge.Options{Ledger: l, Mailbox: &box{}, Log: slog.New(slog.DiscardHandler), Interval: time.Hour}
				if c.source {
					o.Sources = append(o.Sources, stuckSource{until: until})
				}
				if c.box {
					o.Deliver.Outbox = stuckOutbox{bridge.Outbox{Ledger: l}, until}
				}
				if err := l.Hold(t.Context()); err != nil {
					t.Fatal(err)
				}
				b := bridge.New(o)
				ctx, stop := context.WithCancel(t.Context())
				ended := make(chan struct{})
				go func() { b.Run(ctx); close(ended) }()
				time.Sleep(c.after - 2*time.Minute)
				if err := b.Stalled(); err != nil {
					t.Errorf("too soon: %v", err)
				}
				time.Sleep(2 * time.Minute)
				err = b.Stalled()
				if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
					t.Errorf("stalled: %v, want %q", err, c.want)
				}
				stop()
				close(until)
				<-ended
				if err := b.Stalled(); err != nil {
					t.Errorf("after its end: %v", err)
				}
				if err := b.Close(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}
