package bridge

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/finding"
)

// report tells of an account's polls: what fails is told of when it begins, once
// an hour while it lasts, and when it ends, never once a device.
type report struct {
	bridge  *Bridge
	account string
	log     *slog.Logger
	lost    int64  // devices whose history can't be read
	cause   string // why, of one of them
}

func (b *Bridge) newReport(src Source) *report {
	return &report{bridge: b, account: src.Name(), log: b.Log.With("account", src.Name()), lost: b.self.lost[src.Name()].devices, cause: b.self.lost[src.Name()].cause}
}

// tell raises a finding of the account, or clears it.
func (r *report) tell(kind finding.Kind, on bool, why, remedy string) {
	c := r.bridge.Findings.Condition(kind, r.account)
	if on {
		c.Raise(why, remedy)
	} else {
		c.Clear()
	}
}

const (
	// clocksApart is how far our clock may be from the product's.
	clocksApart = 5 * time.Minute
	restart     = "then start covebridge again: `systemctl restart covebridge`"
	role        = "in Cove's console, check the API user's role and customer"
)

// poll tells of one poll.
func (r *report) poll(p Polled, err error) {
	why := ""
	if err != nil {
		why = err.Error()
	}
	refused := errors.Is(err, backup.ErrRefused)
	r.tell(loginRefused, refused, why, "correct the account in the configuration, "+restart)
	r.tell(pollsFailing, err != nil && !refused, why, "`covebridge check` tries each step and tells which one fails")
	if p.Elsewhere {
		return
	}
	first := fmt.Sprint(p.Cause)
	r.tell(devicesFailing, p.Broken > 0, fmt.Sprintf("%d of them, the first: %s", p.Broken, first), "if it lasts, `covebridge check` tells what can't be read")
	r.tell(devicesNameless, p.Nameless > 0, fmt.Sprintf("%d of them", p.Nameless), role)
	if p.Untested != nil {
		r.tell(testsFailing, true, p.Untested.Error(), "check the user's role in Cove, or set recovery: off")
	} else if p.Sweep {
		r.tell(testsFailing, false, "", "")
	}
	if err == nil {
		r.tell(clockOff, p.Clocks.Abs() > clocksApart, fmt.Sprintf("ours is %s %s Cove's", p.Clocks.Abs().Round(time.Second), behind(p.Clocks)),
			"set the clock: timedatectl set-ntp true")
	}
	r.lost = max(r.lost+p.Lost-p.Regained, 0)
	if p.Lost > 0 && p.Cause != nil {
		r.cause = first
	}
	r.tell(historyLost, r.lost > 0, fmt.Sprintf("%d devices; %s", r.lost, r.cause),
		"let this machine reach Cove's storage nodes and reporting API by https; `covebridge check` names the host")
	if p.Regained > 0 {
		r.log.Info("session histories can be read again", "devices", p.Regained)
	}
	if p.Orphans > 0 {
		r.log.Info("devices that had been silent for weeks when they were first seen: nothing is mailed of that", "devices", p.Orphans)
	}
	if err == nil && (p.Looked > 0 || p.Sweep) {
		r.log.Info("polled", "sweep", p.Sweep, "devices", p.Devices, "looked_at", p.Looked, "queued", p.Queued, "took", p.Duration.Round(time.Millisecond))
	}
}

func behind(d time.Duration) string {
	if d < 0 {
		return "ahead of"
	}
	return "behind"
}
