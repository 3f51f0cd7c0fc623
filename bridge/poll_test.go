package bridge_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"covebridge/bridge"
	"covebridge/bridge/backup"
	"covebridge/bridge/covesim"
	"covebridge/bridge/internal/pgtest"
)

// watched is a source of which each poll is told of before anything is read.
type watched struct {
	bridge.Source
	before func() error
}

func (s watched) Clock(ctx context.Context) (time.Time, error) {
	if err := s.before(); err != nil {
		return time.Time{}, err
	}
	return s.Source.Clock(ctx)
}

func watch(before func() error) func(*bridge.Options) {
	return func(o *bridge.Options) { o.Sources[0] = watched{o.Sources[0], before} }
}

// Mails that were settled long ago leave the ledger with a sweep, once a day,
// and are made anew where they are to be sent again.
func TestPrune(t *testing.T) {
	w, sim := simWorld(t, covesim.Options{Seed: 1, Devices: 1}, nil)
	old := func(name string) {
		t.Helper()
		w.clock = time.Now().AddDate(0, 0, -100)
		w.queue(backup.Success, name)
		w.Drain(t.Context())
		w.clock = time.Now()
	}
	kept := func(name string) bool {
		t.Helper()
		e, events, err := w.Ledger.Entry(t.Context(), name)
		if err != nil || e.State != backup.EntrySent || (len(e.Mail) == 0) != (len(events) == 0) {
			t.Errorf("%+v with %d events: %v", e, len(events), err)
		}
		return len(e.Mail) > 0
	}
	old("a-1")
	if !kept("acme-a-1") {
		t.Error("forgotten without a sweep")
	}
	w.pollSim(sim, 0)
	old("b-1")
	w.pollSim(sim, 0)
	if a, b := kept("acme-a-1"), kept("acme-b-1"); a || !b {
		t.Errorf("the first is kept: %v; the second, which came after, on the same day: %v", a, b)
	}
	if e, err := w.Resend(t.Context(), "acme-a-1"); err != nil || len(e.Mail) == 0 {
		t.Errorf("%d bytes, %v", len(e.Mail), err)
	}
	w.Drain(t.Context())
	if n := w.count()["acme-a-1@covebridge"]; n != 2 {
		t.Errorf("it came %d times", n)
	}
}

// Once reads every device, however lately that was done.
func TestOnceSweeps(t *testing.T) {
	w, _ := simWorld(t, covesim.Options{Seed: 1, Devices: 3}, nil)
	for range 2 {
		s, err := w.Once(t.Context())
		if err != nil || len(s.Polled) != 1 || !s.Polled[0].Sweep || s.Polled[0].Devices != 3 {
			t.Errorf("got %+v, %v", s, err)
		}
	}
}

// An account whose login is refused is not asked again, which would lock it.
func TestRefusedLoginIsLeftAlone(t *testing.T) {
	var polls atomic.Int64
	w, _ := simWorld(t, covesim.Options{Seed: 1, Devices: 1}, func(o *bridge.Options) {
		o.Interval = 5 * time.Millisecond
		watch(func() error {
			polls.Add(1)
			return fmt.Errorf("login: %w", backup.ErrRefused)
		})(o)
	})
	ctx, stop := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer stop()
	w.Run(ctx)
	if n := polls.Load(); n != 1 {
		t.Errorf("it was asked %d times", n)
	}
}

// Of bridges that share a ledger one polls an account; the lease on that lasts
// as long as the poll, and no longer.
func TestPollLease(t *testing.T) {
	t.Parallel()
	const lease = 4 * time.Second // of which the ledger ends a transaction that stands still for a part
	polling, polled := make(chan struct{}, 9), make(chan struct{})
	w, _ := simWorld(t, covesim.Options{Seed: 1, Devices: 1}, watch(func() error {
		polling <- struct{}{}
		select {
		case <-polled:
		case <-time.After(20 * lease): // it should never have begun
		}
		return nil
	}))
	w.Bridge.Close()
	w.url, w.lease = pgtest.URL(t), lease
	w.start()
	other := w.Bridge
	defer other.Close()
	w.start()
	free := func() bool {
		t.Helper()
		got, err := other.Ledger.Lease(t.Context(), "poll sim", lease)
		if err != nil {
			t.Error(err)
		}
		return got
	}
	if !free() {
		t.Fatal("held by nobody")
	}
	if s, err := w.Once(t.Context()); err != nil || len(s.Polled) != 1 || !s.Polled[0].Elsewhere {
		t.Errorf("got %+v, %v", s, err)
	}
	if err := other.Ledger.Unlease(t.Context(), "poll sim"); err != nil {
		t.Error(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if s, err := w.Once(t.Context()); err != nil || s.Polled[0].Elsewhere {
			t.Errorf("got %+v, %v", s, err)
		}
	}()
	<-polling
	time.Sleep(2 * lease)
	if free() {
		t.Error("the lease ended before the poll")
	}
	close(polled)
	<-ended
	if !free() {
		t.Error("the lease is held after the poll")
	}
}
