package cove

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"covebridge/bridge/backup"
)

const (
	recoveryRange = 100
	recoveryPages = 500 // bounds a service that never ends
	// recoveryWait is how long a test whose device is at it again, or still,
	// is waited for: its boot test may be on its way.
	recoveryWait = 24 * time.Hour
)

// recoveryWays are the ways in which Cove restores devices to try them, or to
// have them at hand (Cove API document, Recovery tests).
var recoveryWays = map[string]string{
	"RECOVERY_TESTING": "", "SELF_HOSTED": "Standby image", "AZURE_SELF_HOSTED": "Standby image to Azure", "ESXI_SELF_HOSTED": "Standby image to ESXi",
}

// RecoveryTests gives each device's newest recovery test that is over, of all
// customers from the login's or partner_id's down. An account that has not
// bought them, to which Cove answers 400, has none: that is no error. After an
// error what is given is good.
func (c *Client) RecoveryTests(ctx context.Context) (tests []backup.RecoveryTest, err error) {
	partner, err := c.partner(ctx)
	if err != nil {
		return nil, err
	}
	for n := range recoveryPages {
		rows, err := c.recoveryPage(ctx, partner, n*recoveryRange)
		var answer *Error
		if errors.As(err, &answer) && answer.HTTPStatus == http.StatusBadRequest {
			return tests, nil
		}
		for _, r := range rows {
			if t, ok := c.recoveryTest(r); ok {
				tests = append(tests, t)
			}
		}
		if err != nil || len(rows) < recoveryRange {
			return tests, err
		}
	}
	return tests, fmt.Errorf("recovery tests: more than %d: set partner_id to part of the customers", recoveryPages*recoveryRange)
}

func (c *Client) recoveryPage(ctx context.Context, partner int64, offset int) (rows []recoveryRow, err error) {
	ask := url.Values{
		"offset": {strconv.Itoa(offset)}, "limit": {strconv.Itoa(recoveryRange)},
		"filter[type.in]": {"RECOVERY_TESTING,SELF_HOSTED,AZURE_SELF_HOSTED,ESXI_SELF_HOSTED"},
		"filter[partner_materialized_path.contains]": {fmt.Sprintf("/%d/", partner)},
	}
	r := request{url: c.RecoveryURL + "?" + ask.Encode(), method: "recovery tests", auth: authGet, tries: 3, rows: recoveryRange}
	_, err = c.call(ctx, r, func(dec *decoder) error {
		rows = nil
		return dec.rows(recoveryRange, func(raw jsontext.Value) error {
			var r recoveryRow
			err := json.Unmarshal(raw, &r)
			rows = append(rows, r)
			return err
		}, nil)
	})
	return rows, err
}

// recoveryRow is one device and way of recovery.
type recoveryRow struct {
	row
	days []row // the newest recovery first
}

// UnmarshalJSON takes any JSON.
func (r *recoveryRow) UnmarshalJSON(b []byte) error {
	*r = recoveryRow{}
	var outer object
	if err := outer.UnmarshalJSON(b); err != nil {
		return err
	}
	attributes := outer.member("attributes")
	var bar struct{ Colorbar []row }
	if len(attributes) > 0 && attributes[0] == '{' && json.Unmarshal(attributes, &bar) == nil {
		r.days = bar.Colorbar
	}
	return json.Unmarshal(attributes, &r.row)
}

// recoveryTest reads a row; false: no test is over.
//
// Whether last_recovery_timestamp is when the recovery began or ended is not
// settled. It is taken for the end, so that a test is never over before it is.
func (c *Client) recoveryTest(r recoveryRow) (t backup.RecoveryTest, ok bool) {
	id, ok := r.get("backup_cloud_device_id").number()
	t.End = r.get("last_recovery_timestamp").time()
	last := r.get("last_recovery_status")
	if !ok || id <= 0 || t.End.IsZero() || last.status().none() || last.status().running() {
		return t, false
	}
	if now := c.Now(); r.get("current_recovery_status").status().running() && now.Sub(t.End) < recoveryWait {
		return t, false
	}
	t.Device = backup.Device{Product: Product, ID: strconv.FormatInt(id, 10)}.Key()
	t.Plan = truncate(r.get("plan_name").text, 200)
	way := truncate(strings.TrimSpace(r.get("type").text), 100)
	if name, known := recoveryWays[way]; !known && way != "" {
		t.Way = backup.DataSource{Key: way, Name: way}
	} else if name != "" {
		t.Way = backup.DataSource{Key: way, Name: name}
	}
	errors := max(r.get("last_recovery_errors_count").count(), 0)
	recovery := recoveryPart("recovery", "Recovery", last, c.recoveryOutcome(last, errors))
	recovery.ErrorCount, recovery.End, recovery.Approx = errors, t.End, true
	recovery.Start = t.End.Add(-r.get("last_recovery_duration_sec").seconds())
	if errors > 0 {
		recovery.ErrorsMissing = "Cove's console shows them, under Recovery verification"
	}
	t.Parts = append(t.Parts, recovery)
	boot, mine := r.boot(recovery.Start)
	if boot.text != "" {
		t.Parts = append(t.Parts, recoveryPart("boot", "Boot test", boot, c.recoveryOutcome(boot, 0)))
	}
	t.Backup = r.backup(mine)
	return t, true
}

// boot gives the status of the recovery's boot test; mine: what the row tells of
// the last boot test is about it. Not each recovery is booted, and then the last
// boot test is of an earlier one.
func (r recoveryRow) boot(start time.Time) (status value, mine bool) {
	of := r.get("last_boot_test_recovery_session_timestamp").time()
	mine = of.IsZero() || !of.Before(start.Add(-10*time.Minute))
	if status = r.get("last_recovery_boot_status"); status.text == "" && mine {
		status = r.get("last_boot_test_status")
	}
	return status, mine
}

// backup is when the backup session began that was restored; zero: not told.
func (r recoveryRow) backup(mine bool) time.Time {
	if session := r.get("last_recovery_session_id").text; session != "" {
		for _, d := range r.days {
			if d.get("session_id").text == session {
				return d.get("backup_session_timestamp").time()
			}
		}
	}
	if mine {
		return r.get("last_boot_test_backup_session_timestamp").time()
	}
	return time.Time{}
}

// recoveryPart is one part of a test, as a session that ended.
func recoveryPart(key, name string, v value, outcome backup.Status) backup.Session {
	result := truncate(strings.TrimSpace(v.text), 100)
	if _, number := v.number(); number {
		result = v.status().String()
	}
	return backup.Session{
		Source: backup.DataSource{Key: key, Name: name}, State: backup.Ended, Status: outcome, Result: result,
		SelectedCount: backup.Unknown, SelectedBytes: backup.Unknown, ProcessedCount: backup.Unknown,
		ProcessedBytes: backup.Unknown, SentBytes: backup.Unknown,
	}
}

// recoveryWords are those that sessions don't have.
var recoveryWords = map[string]backup.Status{
	"success": backup.Success, "succeeded": backup.Success, "ok": backup.Success,
	"failure": backup.Failed, "error": backup.Failed, "unresponsive": backup.Failed, "timeout": backup.Failed,
}

// recoveryOutcome maps a status as that of a session is mapped, job.status_map
// included, and knows the words that only recoveries have. Others are a Warning.
func (c *Client) recoveryOutcome(v value, errors int64) backup.Status {
	s := v.status()
	_, mapped := c.statuses.get(s)
	outcome, known := recoveryWords[strings.ToLower(s.word)]
	switch {
	case mapped || !known:
		return c.outcome(s, errors)
	case outcome == backup.Success && errors > 0:
		return backup.Warning
	}
	return outcome
}
