package world

import (
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"covebridge/bridge/backup"
)

// Test is one recovery test of a device.
type Test struct {
	Start, End time.Duration
	Status     int // completed or failed
}

// drawTests draws the recovery tests of a device that has some, hours apart.
func drawTests(t *rapid.T, d Device) (all []Test) {
	if d.Kind == Tenant {
		return nil
	}
	at := time.Duration(0)
	for range rapid.SampledFrom([]int{0, 1, 1, 2}).Draw(t, "recovery tests") {
		x := Test{Start: at + minutes(t, "recovery test", 1, 700), Status: rapid.SampledFrom([]int{completed, failed}).Draw(t, "outcome")}
		x.End = x.Start + minutes(t, "length", 1, 120)
		all, at = append(all, x), x.End+5*time.Hour
	}
	return all
}

// dashboard answers the GET of recovery tests: of each device the newest that is over.
func (s *script) dashboard() []object {
	rows := []object{}
	for device, d := range s.Devices {
		row := object{"backup_cloud_device_id": firstID + device, "type": "RECOVERY_TESTING", "plan_name": "Nightly", "current_recovery_status": nil}
		for _, x := range d.Tests {
			switch {
			case x.End <= s.now():
				row["last_recovery_status"], row["last_recovery_timestamp"] = words[x.Status], s.epoch.Add(x.End).Unix()
				row["current_recovery_status"] = words[x.Status]
			case x.Start <= s.now():
				row["current_recovery_status"] = words[inProcess]
			}
		}
		if len(d.Tests) > 0 {
			rows = append(rows, object{"type": "statistic", "id": fmt.Sprint(device), "attributes": row})
		}
	}
	return rows
}

// testsOf: each recovery test is in exactly one mail, with its status. One that
// another followed, while Cove or the bridges were away, can't be known.
func (w *World) testsOf(device int, mails []mail) {
	tests := w.Devices[device].Tests
	told := make([]int, len(tests))
	for _, m := range mails {
		if m.device != device || m.kind != backup.RecoveryType {
			continue
		}
		i := slices.IndexFunc(tests, func(x Test) bool { return m.end.Equal(w.epoch.Add(x.End).Truncate(time.Second)) })
		if i < 0 || wordOf(tests[i].Status) != m.status || m.job != (&script{}).name(device)+" recovery test" {
			w.problem("%s tells of a recovery test that there was not: %s, ended %s, job %q", m.id, m.status, m.end, m.job)
			continue
		}
		told[i]++
	}
	for i, n := range told {
		lost := i < len(tests)-1 && len(w.Episodes)+len(w.Changes) > 0
		if n > 1 || n == 0 && !lost {
			w.problem("device %d: the recovery test that ended after %v is in %d mails", device, tests[i].End, n)
		}
	}
}
