package bridge

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"covebridge/bridge/finding"
)

// scripted is a page whose port is taken until a moment.
type scripted struct {
	taken  time.Time
	starts int
	open   bool
}

func (s *scripted) Start(context.Context) error {
	s.starts++
	if time.Now().Before(s.taken) {
		return errors.New("address already in use")
	}
	s.open = true
	return nil
}

func (*scripted) Addr() string   { return "127.0.0.1:8642" }
func (s *scripted) Close() error { s.open = false; return nil }

// Where the port is taken that is a finding, and the page comes once it is free;
// it goes with the bridge.
func TestPageWhosePortIsTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &scripted{taken: time.Now().Add(150 * time.Second)}
		b := &Bridge{Options: Options{Log: slog.New(slog.DiscardHandler)}, page: p}
		b.Findings = finding.NewList(b.Log)
		ctx, stop := context.WithCancel(t.Context())
		go b.serve(ctx)
		synctest.Wait()
		found := b.Findings.Current()
		if len(found) != 1 || found[0].Name != "page_down" || found[0].Why != "address already in use" || found[0].Remedy == "" {
			t.Errorf("taken: %+v", found)
		}
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		if found := b.Findings.Current(); len(found) > 0 || !p.open || p.starts != 4 {
			t.Errorf("free: %+v, %+v", found, p)
		}
		stop()
		synctest.Wait()
		if p.open {
			t.Error("it outlives the bridge")
		}
	})
}
