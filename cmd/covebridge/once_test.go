package main

import (
	"strings"
	"testing"

	"covebridge/bridge"
	"covebridge/bridge/collect"
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
