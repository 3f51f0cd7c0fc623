package main

import (
	"strings"
	"testing"

	"covebridge/bridge"
	"covebridge/bridge/collect"
	"covebridge/bridge/deliver"
)

// Who was told to stop says so, whatever the poll had come to.
func TestPolledWhenStopped(t *testing.T) {
	for _, p := range []bridge.Polled{
		{Polled: collect.Polled{Account: "msp", LookedAt: 3}},
		{Polled: collect.Polled{Account: "msp", LookedAt: 3}, Elsewhere: true},
	} {
		if got := polled(p, true); got != "msp: stopped after 3 devices" {
			t.Errorf("got %q", got)
		}
	}
	if got := polled(bridge.Polled{Elsewhere: true}, false); !strings.Contains(got, "another covebridge is polling it") {
		t.Errorf("got %q", got)
	}
}

// Whatever is left undone makes the exit status 1.
func TestUnfinished(t *testing.T) {
	device := bridge.Polled{Polled: collect.Polled{Failed: 1}}
	for _, c := range []struct {
		s    bridge.Summary
		want bool
	}{
		{bridge.Summary{Polled: []bridge.Polled{{}}, Delivered: deliver.Counts{Sent: 3, Found: 1}}, false},
		{bridge.Summary{Waiting: 1}, true},
		{bridge.Summary{Delivered: deliver.Counts{Failed: 1}}, true},
		{bridge.Summary{Polled: []bridge.Polled{{}, device}}, true},
	} {
		if unfinished(c.s) != c.want {
			t.Errorf("%+v: %v", c.s, !c.want)
		}
	}
}
