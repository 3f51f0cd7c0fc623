package backup

import (
	"strings"
	"testing"
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
	} {
		j := Journal{Device: Device{Storage: c.storage}}
		run := Run{Kind: Whole, Status: Success, End: at("02:00")}
		j.CheckStorage(&run, Rules{NotInCloud: c.rule})
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
