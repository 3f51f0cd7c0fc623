package backup

import "time"

// RecoveryType is what Backupchecks files recovery tests under ("Backup type").
const RecoveryType = "Recovery test"

// RecoveryTest is the newest trial restore of a device that a product tells of.
type RecoveryTest struct {
	Device string // Device.Key
	// Way is set where a device can be restored in several ways, each of which
	// makes runs of its own; zero: the ordinary one.
	Way  DataSource
	Plan string // the name that its owner gave the test; empty: not told
	// End names the test: it is the one time that is always told.
	End    time.Time
	Backup time.Time // start of the backup session that was restored; zero: not told
	Parts  []Session // what it came to: the recovery, the boot test; all ended
}

// Recovered says what a recovery test restored.
type Recovered struct {
	Backup time.Time `json:"backup,omitzero"` // start of the backup session; zero: not told
	Plan   string    `json:"plan,omitempty"`
}

// Type is the backup type that Backupchecks files the run under.
func (r Run) Type() string {
	if r.Kind == Recovery {
		return RecoveryType
	}
	return r.Device.Type
}

// recoveryRuns gives the runs of the tests that were not told of yet. Tests are
// told of one by one, so that the end of the last one told of is all that has
// to be remembered.
func (j *Journal) recoveryRuns(o Look) (ready []Candidate) {
	for _, t := range o.Tests {
		if j.Recovered(t) {
			continue
		}
		_, seen := j.Tests[t.Way.Key]
		c := Candidate{
			Run: Run{Kind: Recovery, Device: j.Device, Sessions: t.Parts, Start: t.End, End: t.End, Recovered: &Recovered{t.Backup, t.Plan}},
			Old: !seen && t.End.Before(o.Baseline), Doubt: !t.End.After(j.First) || !t.End.After(o.FirstPolled),
		}
		if t.Way != (DataSource{}) {
			c.Source = &t.Way
		}
		c.ID = Identity(j.Device, c.Source, t.End, Recovery)
		for _, s := range t.Parts {
			c.Status = max(c.Status, s.Status)
			if !s.Start.IsZero() && s.Start.Before(c.Start) {
				c.Start = s.Start
			}
		}
		ready = append(ready, c)
	}
	return ready
}

// Recovered tells whether the test, or a later one of the same way, was told of.
func (j *Journal) Recovered(t RecoveryTest) bool { return !t.End.After(j.Tests[t.Way.Key]) }

// noteTest notes that a test was told of.
func (j *Journal) noteTest(c Candidate) {
	way := ""
	if c.Source != nil {
		way = c.Source.Key
	}
	if j.Tests == nil {
		j.Tests = map[string]time.Time{}
	}
	j.Tests[way] = latest(j.Tests[way], c.End)
}
