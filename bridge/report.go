package bridge

import (
	"fmt"
	"log/slog"
	"time"

	"covebridge/bridge/finding"
)

// report tells the log of an account's polls: what fails is told of when it
// begins, once an hour while it lasts, and when it ends, never once a device.
type report struct {
	log     *slog.Logger
	polls   *finding.Condition
	devices *finding.Condition
	names   *finding.Condition
	tests   *finding.Condition
}

func (b *Bridge) newReport(src Source) *report {
	log := b.Log.With("account", src.Name())
	return &report{
		log:     log,
		polls:   b.Findings.Condition(finding.Kind{Name: "polls_failing", Severity: finding.Failed, What: "poll failed; the next one makes up for it"}, src.Name()),
		devices: b.Findings.Condition(finding.Kind{Name: "devices_failing", Severity: finding.Warning, What: "devices could not be worked on; they will be tried again at the next poll"}, src.Name()),
		names:   b.Findings.Condition(finding.Kind{Name: "devices_nameless", Severity: finding.Warning, What: "devices are left out until their names can be read"}, src.Name()),
		tests:   b.Findings.Condition(finding.Kind{Name: "recovery_tests_failing", Severity: finding.Warning, What: "recovery tests can't be read"}, src.Name()),
	}
}

// poll tells of one poll.
func (r *report) poll(p Polled, err error) {
	if err != nil {
		r.polls.Raise(err.Error(), "")
	} else {
		r.polls.Clear()
	}
	if p.Elsewhere {
		return
	}
	if p.Broken > 0 {
		r.devices.Raise(fmt.Sprintf("%d of them, the first: %v", p.Broken, p.Cause), "")
	} else {
		r.devices.Clear()
	}
	if p.Nameless > 0 {
		r.names.Raise(fmt.Sprintf("%d of them", p.Nameless), "check the user's role in Cove")
	} else {
		r.names.Clear()
	}
	if p.Untested != nil {
		r.tests.Raise(p.Untested.Error(), "check the user's role in Cove, or set recovery: off")
	} else if p.Sweep {
		r.tests.Clear()
	}
	if p.Lost > 0 {
		r.log.Warn("session histories can't be read: statistics, which show only each data source's last session, must do until they can", "devices", p.Lost, "err", p.Cause)
	}
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
