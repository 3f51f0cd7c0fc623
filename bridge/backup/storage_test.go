package backup

import (
	"strings"
	"testing"
	"time"
)

func TestCheckStorage(t *testing.T) {
	for _, c := range []struct {
		storage Storage
		rule    Status
		want    string // in the remark; empty: none
	}{
		{Storage{}, Failed, ""},
		{Storage{Cloud: CopyFailed}, Failed, ""}, // no vault: the backup went to the cloud itself
		{Storage{Cloud: CopySynchronised, Vault: CopySynchronised}, Failed, ""},
		{Storage{Cloud: CopyOffline, Vault: CopySynchronised}, Success, "only the LocalSpeedVault: the cloud storage is offline."},
		{Storage{Cloud: CopyFailed, Vault: CopyRunning}, Warning, "only the LocalSpeedVault: the cloud storage is failed."},
		{Storage{Cloud: CopyRunning, Vault: CopySynchronised}, Warning, ""}, // it is on its way
		{Storage{Cloud: CopyOffline, Vault: CopyFailed}, Warning, "only the LocalSpeedVault: the cloud storage is offline."},
	} {
		j := Journal{Device: Device{Storage: c.storage}}
		run := Run{Kind: Whole, Status: Success, End: at("02:00")}
		j.CheckStorage(&run, Look{Trusted: at("02:00")}, Rules{NotInCloud: c.rule})
		said := strings.Join(run.Remarks, " ")
		if (c.want == "") != (said == "") || !strings.Contains(said, c.want) {
			t.Errorf("%v: said %q, want %q", c.storage, said, c.want)
		}
		want := Success
		if c.want != "" {
			want = c.rule
		}
		if run.Status != want {
			t.Errorf("%v: %v, want %v", c.storage, run.Status, want)
		}
	}
}

// A copy in the cloud that does not catch up is remarked once that takes a day
// in sight, and no more once it has caught up.
func TestCloudStands(t *testing.T) {
	running, done := Storage{Cloud: CopyRunning, Vault: CopySynchronised}, Storage{Cloud: CopySynchronised, Vault: CopySynchronised}
	j, last := Journal{}, time.Time{}
	for i, step := range []struct {
		at      string
		storage Storage
		want    string // in the remark; empty: none
	}{
		{"00:00", running, ""}, // since when can't be known
		{"12:00", running, ""},
		{"23:59", running, ""},
		{"24:00", running, "has not caught up for a day."},
		{"47:59", running, "for a day."},
		{"48:00", Storage{Cloud: CopySynchronised, Vault: CopyRunning}, "for 2 days."}, // it may be told of the vault, too
		{"49:00", Storage{Cloud: CopyFailed, Vault: CopySynchronised}, "only the LocalSpeedVault"},
		{"50:00", done, ""},
		{"51:00", running, ""},
		{"74:00", running, ""},
		{"75:00", running, "for a day."},
		{"99:30", running, ""}, // nobody looked for more than a day: it may have caught up meanwhile
		{"120:00", running, ""},
		{"123:30", running, "for a day."},
		{"124:00", Storage{Cloud: CopyRunning}, ""}, // the vault was given up
	} {
		now := clock(t, step.at)
		j.Observe(Look{Now: now, Trusted: now, LastRead: last, Snapshot: &Snapshot{Device: Device{ID: "7", Name: "srv", Storage: step.storage}}}, Rules{})
		run := Run{Kind: Whole, Status: Success, End: now}
		j.CheckStorage(&run, Look{Now: now, Trusted: now}, Rules{NotInCloud: Warning})
		said, status := strings.Join(run.Remarks, " "), Success
		if step.want != "" {
			status = Warning
		}
		if (step.want == "") != (said == "") || !strings.Contains(said, step.want) || run.Status != status {
			t.Errorf("%d: at %s: %v, said %q, want %q", i, step.at, run.Status, said, step.want)
		}
		last = now
	}
}
