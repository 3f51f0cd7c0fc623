package backup

import (
	"fmt"
	"slices"
	"time"
)

// Past is a run that went out, as far as later ones speak of it.
type Past struct {
	Start       time.Time `json:"start"`
	Status      Status    `json:"status"`
	Source      string    `json:"source,omitempty"` // key; where each data source makes runs of its own
	UsedStorage int64     `json:"used_storage"`
}

// Complete adds what follows from the runs before: earlier attempts, the change
// in sizes, remarks.
func (j *Journal) Complete(run *Run) {
	if run.Kind != Whole {
		return
	}
	source := ""
	if run.Source != nil {
		source = run.Source.Key
	}
	earlier := slices.DeleteFunc(slices.Clone(j.Past), func(p Past) bool { return p.Source != source || !p.Start.Before(run.Start) })
	for _, p := range slices.Backward(earlier) {
		if p.Status != Failed || run.Start.Sub(p.Start) > day {
			break
		}
		run.Earlier = append(run.Earlier, Attempt{Start: p.Start, Status: p.Status})
	}
	slices.Reverse(run.Earlier)
	if len(run.Earlier) > 0 {
		run.Attempt = len(run.Earlier) + 1
	}
	j.compare(run, earlier)
}

// compare sets the totals of the sessions before, one for each data source of
// the run, and remarks on a selection that shrank. Where a data source has no
// session before, there is nothing to compare with.
func (j *Journal) compare(run *Run, earlier []Past) {
	before := Run{Device: Device{UsedStorage: Unknown}}
	if len(earlier) > 0 {
		before.Device.UsedStorage = earlier[len(earlier)-1].UsedStorage
	}
	for _, s := range run.Sessions {
		if old, found := j.before(s); found {
			before.Sessions = append(before.Sessions, old)
			if text := shrank(old, s); text != "" {
				run.Remarks = append(run.Remarks, text)
			}
		}
	}
	if len(before.Sessions) > 0 && len(before.Sessions) == len(run.Sessions) {
		t := before.Totals()
		run.Previous = &t
	}
}

// before gives the newest finished session of the same data source that
// started before s.
func (j *Journal) before(s Session) (old Session, found bool) {
	for _, k := range slices.Backward(j.Sessions) {
		if k.Source.Key == s.Source.Key && k.Finished() && k.Start.Before(s.Start) {
			return k.Session, true
		}
	}
	return old, false
}

// shrank says that a data source selects less than half of what it did; "" if not.
// What a session that failed selected says nothing.
func shrank(old, now Session) string {
	if !now.Finished() || now.Status == Failed || old.SelectedBytes <= 0 || now.SelectedBytes < 0 {
		return ""
	}
	switch {
	case now.SelectedBytes == 0:
		return fmt.Sprintf("%s selects nothing any more; the session before selected data.", now.Source.Name)
	case now.SelectedBytes < old.SelectedBytes/2:
		return fmt.Sprintf("%s selects %d%% less than the session before.", now.Source.Name, 100-now.SelectedBytes*100/max(old.SelectedBytes, 1))
	}
	return ""
}
