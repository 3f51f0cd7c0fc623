package backup

import (
	"fmt"
	"time"
)

// Copy is how a place where backups are kept stands.
type Copy string

// The states of a copy. The empty one is not known, or there is none.
const (
	CopyOffline      Copy = "offline"
	CopyFailed       Copy = "failed"
	CopyRunning      Copy = "synchronising"
	CopySynchronised Copy = "synchronised"
)

// Storage is where a device's backups lie: in the cloud, and for some in a
// vault beside the device as well, from which the cloud is filled.
type Storage struct {
	Cloud Copy `json:"cloud,omitempty"`
	Vault Copy `json:"vault,omitempty"` // the LocalSpeedVault; empty: there is none
}

// lost tells whether what reaches the vault does not reach the cloud now.
func (s Storage) lost() bool {
	return s.Vault != "" && (s.Cloud == CopyOffline || s.Cloud == CopyFailed)
}

// Behind tells whether the cloud has yet to catch up with the vault. Which of the
// two the product says that of is not settled.
func (s Storage) Behind() bool {
	return s.Vault != "" && (s.Cloud == CopyRunning || s.Vault == CopyRunning)
}

// behindLimit is after how long a synchronisation that has not finished stands. Runs
// are a day apart as a rule: one that takes longer never catches up.
const behindLimit = day

// watchCloud notes since when the cloud has not caught up with the vault. Where
// nobody looked for so long, it may have done so meanwhile.
func (j *Journal) watchCloud(o Look) {
	switch {
	case !j.Device.Storage.Behind():
		j.BehindSince = time.Time{}
	case j.BehindSince.IsZero() || o.Trusted.Sub(o.LastRead) > behindLimit:
		j.BehindSince = o.Trusted
	}
}

// CheckStorage remarks where the copy of a run that has just ended did not reach
// the cloud, or waits behind others that have not for long; and makes it more
// than a remark where a rule wants that.
func (j *Journal) CheckStorage(run *Run, o Look, rules Rules) {
	s, behind := j.Device.Storage, time.Duration(0)
	if !j.BehindSince.IsZero() {
		behind = o.waited(j.BehindSince)
	}
	remark := ""
	switch {
	case run.Kind != Whole:
		return
	case s.lost():
		remark = fmt.Sprintf("The copy reached only the LocalSpeedVault: the cloud storage is %s.", s.Cloud)
	case behind >= 2*day:
		remark = fmt.Sprintf("The copy in the cloud is behind the LocalSpeedVault: it has not caught up for %d days.", behind/day)
	case behind >= behindLimit:
		remark = "The copy in the cloud is behind the LocalSpeedVault: it has not caught up for a day."
	default:
		return
	}
	run.Remarks = append(run.Remarks, remark)
	run.Status = max(run.Status, rules.NotInCloud)
}
