package bridge

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/finding"
)

const (
	// maxClockSkew is how far our clock may be from the product's.
	maxClockSkew         = 5 * time.Minute
	remedyReload         = ", then have it read anew: `systemctl reload covebridge`, or kill -HUP; it is not tried before, for repeated refusals lock the user out"
	remedyCheck          = "`covebridge check` tries each step and tells which one fails"
	remedyRole           = "in Cove's console, check the API user's role and customer"
	remedyNoDevices      = "check partner_id, and in Cove's console the API user's role and customer: Cove does not say when they are wrong"
	remedyMissingDevices = remedyNoDevices + ". If the devices were removed, this ends by itself in a week"
)

// reportPoll tells of one poll of an account: what fails is told of when it begins,
// once an hour while it lasts, and when it ends, never once a device.
func (b *Bridge) reportPoll(p Polled, err error) {
	log := b.Log.With("account", p.Account)
	tell := func(kind finding.Kind, on bool, why, remedy string) { b.setFinding(kind, p.Account, on, why, remedy) }
	why, remedy := backup.Explain(err)
	refused := errors.Is(err, backup.ErrRefused)
	tell(loginRefused, refused, why, cmp.Or(remedy, "correct the account in the configuration")+remedyReload)
	if remedy != "" {
		remedy += "; "
	}
	tell(pollsFailing, err != nil && !refused, why, remedy+remedyCheck)
	if p.Elsewhere {
		return
	}
	first := fmt.Sprint(p.Cause)
	tell(devicesFailing, p.Failed > 0, fmt.Sprintf("%d of them, the first: %s", p.Failed, first), "if it lasts, `covebridge check` tells what can't be read")
	if p.Sweep {
		why := "none is shown"
		if p.DevicesBefore > 0 {
			why = fmt.Sprintf("%d are shown, %d were before", p.Devices, p.DevicesBefore)
		}
		tell(devicesMissing, p.Devices == 0 || p.DevicesBefore > 0, why, remedyMissingDevices)
	}
	tell(devicesNameless, p.Nameless > 0, fmt.Sprintf("%d of them", p.Nameless), remedyRole)
	if p.TestsErr != nil {
		tell(testsFailing, true, p.TestsErr.Error(), "check the user's role in Cove, or set recovery: off")
	} else if p.Sweep {
		tell(testsFailing, false, "", "")
	}
	if err == nil {
		tell(clockOff, p.ClockSkew.Abs() > maxClockSkew, fmt.Sprintf("ours is %s %s Cove's", p.ClockSkew.Abs().Round(time.Second), skewWord(p.ClockSkew)),
			"set the clock: timedatectl set-ntp true")
	}
	cause := ""
	if p.HistoryLost > 0 && p.Cause != nil {
		cause = first
	}
	lost, cause := b.self.addUnreadable(p.Account, p.HistoryLost-p.HistoryRegained, cause)
	tell(historyLost, lost > 0 && b.Collect.History, fmt.Sprintf("%d devices; %s", lost, cause),
		"let this machine reach Cove's storage nodes and reporting API by https; `covebridge check` names the host")
	if p.HistoryRegained > 0 {
		log.Info("session histories can be read again", "devices", p.HistoryRegained)
	}
	if p.Orphans > 0 {
		log.Info("devices that had been silent for weeks when they were first seen: nothing is mailed of that", "devices", p.Orphans)
	}
	if err == nil && (p.LookedAt > 0 || p.Sweep) {
		log.Info("polled", "sweep", p.Sweep, "devices", p.Devices, "looked_at", p.LookedAt, "queued", p.Queued, "took", p.Duration.Round(time.Millisecond))
	}
}

func skewWord(d time.Duration) string {
	if d < 0 {
		return "ahead of"
	}
	return "behind"
}
