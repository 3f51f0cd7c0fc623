package covesim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// RecoveryTest is one trial restore of a device: what really happened.
type RecoveryTest struct {
	DeviceID int64     `json:"device_id"`
	Device   string    `json:"device"` // its name
	Start    time.Time `json:"start"`
	End      time.Time `json:"end"`
	Backup   time.Time `json:"backup"` // start of the session that was restored; zero: none is kept
	Status   string    `json:"status"`
	Boot     string    `json:"boot"` // empty: it did not get as far
	Errors   int64     `json:"errors"`
}

const recoveryEvery = 7 * day

// recovery gives the device's test in the nth week since 1970; false: it has none.
func (f *fleet) recovery(d *device, n int64) (t RecoveryTest, ok bool) {
	if f.options.NoRecovery || d.kind != server || d.index%3 != 0 || d.has(NeverRan) {
		return t, false
	}
	r := throw(f.options.Seed, 9, uint64(d.id), uint64(n))
	t = RecoveryTest{
		DeviceID: d.id, Device: d.name, Status: statusWords[Completed], Boot: "success",
		Start: time.Unix(n*int64(recoveryEvery/time.Second), 0).UTC().Add(time.Duration(d.index/3%7)*day + r.between(0, 8*time.Hour)),
	}
	t.End = t.Start.Add(r.between(10*time.Minute, 90*time.Minute))
	switch p := r.below(10); p {
	case 0:
		t.Status, t.Boot, t.Errors = statusWords[Failed], "", 1+r.below(4)
	case 1:
		t.Boot = "failed"
	case 2:
		t.Status, t.Errors = statusWords[CompletedWithErrors], 1+r.below(9)
	}
	for s := range f.newestFirst(d, t.Start) {
		if s.finished(t.Start) && s.Status == Completed && !s.Restore {
			t.Backup = s.Start
			break
		}
	}
	return t, true
}

// recoveries gives the device's tests that had begun by now, newest first, at
// most so many.
func (f *fleet) recoveries(d *device, now time.Time, most int) (all []RecoveryTest) {
	for n := now.Unix() / int64(recoveryEvery/time.Second); len(all) < most; n-- {
		t, ok := f.recovery(d, n)
		if !ok || t.Start.Before(f.first) {
			break
		}
		if !t.Start.After(now) {
			all = append(all, t)
		}
	}
	return all
}

// RecoveryTests gives the tests that ended after since and not after until, by
// device and end: what the bridge's mails are to be compared with.
func (s *Sim) RecoveryTests(since, until time.Time) (all []RecoveryTest) {
	for _, d := range s.fleet.devices {
		for _, t := range slices.Backward(s.fleet.recoveries(d, until, 1<<20)) {
			if t.End.After(since) && !t.End.After(until) {
				all = append(all, t)
			}
		}
	}
	return all
}

// dashboard answers the GET of recovery tests, in the form of JSON:API: the
// devices with a plan, each with its newest tests.
func (s *Sim) dashboard(w http.ResponseWriter, r *http.Request) {
	c := &call{now: s.Now(), Method: "dashboard"}
	s.calls.add(c.Method)
	fault := s.faults.next(traits{method: c.Method})
	if !fault.before(w, r) {
		return
	}
	visa, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !bearer || s.checkVisa(c, visa) != nil {
		http.Error(w, `{"errors":[{"status":"401","title":"Unauthorized"}]}`, http.StatusUnauthorized)
		return
	}
	ask := r.URL.Query()
	offset, err := strconv.Atoi(ask.Get("offset"))
	limit, err2 := strconv.Atoi(ask.Get("limit"))
	if s.options.NoRecovery || err != nil || err2 != nil || offset < 0 || limit < 1 || ask.Get("filter[partner_materialized_path.contains]") != fmt.Sprintf("/%d/", rootID) {
		http.Error(w, `{"errors":[{"status":"400","title":"Bad Request"}]}`, http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/vnd.api+json")
	fault.write(w, s.recoveryReply(c.now, offset, limit))
}

func (s *Sim) recoveryReply(now time.Time, offset, limit int) []byte {
	s.world.RLock()
	defer s.world.RUnlock()
	rows := []object{}
	for _, d := range s.fleet.devices {
		if _, planned := s.fleet.recovery(d, 0); planned {
			rows = append(rows, object{"type": "statistic", "id": strconv.FormatInt(d.id, 10), "attributes": s.fleet.recoveryRow(d, now)})
		}
	}
	rows = page(rows, &struct{ Offset, Size int }{offset, limit})
	body, err := json.Marshal(object{"data": rows, "links": object{}})
	if err != nil { // numbers and texts are always JSON
		panic(err)
	}
	return body
}

func (f *fleet) recoveryRow(d *device, now time.Time) object {
	row := object{
		"backup_cloud_device_id": d.id, "backup_cloud_device_name": d.name, "backup_cloud_device_machine_name": d.computer,
		"backup_cloud_partner_name": d.customer.name, "type": "RECOVERY_TESTING", "plan_name": "Every week",
		"current_recovery_status": nil, "last_recovery_status": nil, "last_recovery_timestamp": nil, "last_recovery_errors_count": 0,
		"last_boot_test_status": nil, "colorbar": []object{},
	}
	tests := f.recoveries(d, now, colourDays)
	if len(tests) > 0 && tests[0].End.After(now) {
		row["current_recovery_status"] = statusWords[InProcess]
		tests = tests[1:]
	}
	if len(tests) == 0 {
		return row
	}
	last := tests[0]
	if row["current_recovery_status"] == nil {
		row["current_recovery_status"] = last.Status
	}
	row["last_recovery_status"], row["last_recovery_errors_count"] = last.Status, last.Errors
	row["last_recovery_timestamp"], row["last_recovery_duration_sec"] = last.End.Unix(), int64(last.End.Sub(last.Start)/time.Second)
	if last.Boot != "" {
		row["last_boot_test_status"], row["last_boot_test_recovery_session_timestamp"] = last.Boot, last.End.Unix()
		row["last_boot_test_backup_session_timestamp"] = []int64{last.Backup.Unix()} // as a list, as was seen
	}
	bar := []object{}
	for _, t := range tests {
		bar = append(bar, object{"status": t.Status, "session_id": t.id(), "backup_session_timestamp": t.Backup.Unix(), "recovery_session_timestamp": t.End.Unix()})
	}
	row["last_recovery_session_id"], row["colorbar"] = last.id(), bar
	return row
}

func (t RecoveryTest) id() string { return fmt.Sprintf("%d-%d", t.DeviceID, t.Start.Unix()) }
