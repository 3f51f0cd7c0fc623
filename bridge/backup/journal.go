package backup

import (
	"maps"
	"slices"
	"time"
)

// Journal is all that is known of one device, as far as it is still needed to
// decide about its runs. What a look adds is told to Observe; Ready, Due and
// ReadFrom say what follows. All times but those of sessions are our own.
type Journal struct {
	Device Device `json:"device"` // as last told; Name is empty until it is known
	// First is when the device was looked at for the first time: a run that
	// began before may have been mailed before this ledger was made.
	First time.Time `json:"first,omitzero"`

	NoHistory    string    `json:"no_history,omitempty"` // why its session history can't be read; empty: it can
	RetryAt      time.Time `json:"retry_at,omitzero"`    // when that is tried again
	Reread       bool      `json:"again,omitempty"`      // the history is to be read again at the next poll
	RereadUntil  time.Time `json:"watch,omitzero"`       // until when it is read at each poll, for a session may be listed late
	MissingSince time.Time `json:"missing,omitzero"`     // since when the product shows the device no more
	BehindSince  time.Time `json:"behind,omitzero"`      // since when the copy in the cloud has been seen not to catch up with the vault
	Orphan       bool      `json:"orphan,omitempty"`     // it had been silent for weeks when it was first seen, and still is

	// Sessions are those remembered, by start. A listed one that is none of them
	// is new if its Seq is beyond Seq, or if it started at Floor or later.
	Sessions []Known   `json:"sessions,omitempty"`
	Floor    time.Time `json:"floor,omitzero"`
	Seq      int64     `json:"seq,omitempty"`

	// Running are the sessions that statistics last told of as running. Pending
	// are ends that statistics told of and the history does not list yet. Acknowledged
	// are the ends that were dealt with, by data source, newest last.
	Running      []Known                `json:"running,omitempty"`
	Pending      []Pending              `json:"pending,omitempty"`
	Acknowledged map[string][]time.Time `json:"heard,omitempty"`

	// Good is the newest success of each data source among the runs that went out.
	Good map[string]time.Time `json:"good,omitempty"`

	Past          []Past      `json:"past,omitempty"`    // the newest runs that went out, by start
	Overdue       []string    `json:"overdue,omitempty"` // identities of the overdue runs that were told of
	Silence       SilenceMail `json:"silence,omitzero"`  // the last mail about silence
	WaitsForTexts Waits       `json:"waits,omitzero"`    // the run that waits for its error texts

	Tests map[string]time.Time `json:"tests,omitempty"` // end of the last recovery test told of, by RecoveryTest.Way
}

// Pending is an end that statistics told of and the history does not list yet.
type Pending struct {
	Known
	Since time.Time `json:"since"` // by the trusted clock
	Looks int       `json:"looks"` // how often the history was read in vain
}

// SilenceMail is what a mail about silence was about.
type SilenceMail struct {
	Since time.Time `json:"since,omitzero"`
	Kind  Kind      `json:"kind,omitempty"`
}

// Waits is a run whose error texts could not be read so far.
type Waits struct {
	Run   string `json:"run,omitempty"`
	Polls int    `json:"polls,omitempty"`
}

// Rules are those of the configuration.
type Rules struct {
	Window   time.Duration // a session joins a run if it starts no later than this after the run's latest end
	BySource bool          // each session is a run of its own
	MaxWait  time.Duration // after which an unfinished run is told of; 0: never
	// Patience is how long the history may lag behind statistics, which told of
	// an end that it does not list, before they are believed.
	Patience time.Duration
	Retry    time.Duration            // between two tries of a history that can't be read
	Silence  map[string]time.Duration // limits by device type; 0: off
	// MayBeSilent tells whether nothing is said of the device's silence.
	MayBeSilent func(Device) bool
	// NotInCloud is the least status of a run whose copy did not reach the cloud,
	// or waits there behind others that have not for long.
	NotInCloud Status
	// Separate tells whether a data source makes runs of its own, beside all others.
	Separate func(DataSource) bool
}

// silence is how long the device may be silent; 0: always.
func (r Rules) silence(d Device) time.Duration {
	if r.MayBeSilent != nil && r.MayBeSilent(d) {
		return 0
	}
	return r.Silence[d.Type]
}

// giveUpAfter is after how long what runs on a device that is gone, or is passed by a
// newer session, has no end to come.
func (r Rules) giveUpAfter() time.Duration {
	if r.MaxWait == 0 {
		return day
	}
	return r.MaxWait
}

// Look is what was found out about a device.
type Look struct {
	Now     time.Time // the product's clock, or Trusted where that is later
	Trusted time.Time // the clock that waiting is measured by
	// SteadySince is since when Trusted made no leap to make up for lost time: of what was
	// noted before, it can't be known how long ago it was. Zero: it never did.
	SteadySince time.Time
	// LastRead is when all devices were last read, by Trusted: what ended before would
	// have been seen then. Zero: never.
	LastRead time.Time
	// Baseline, at first sight: sessions that ended before are old.
	Baseline time.Time

	// FirstPolled is when this process began to work on the ledger. What ended before
	// may have been sent already, if the ledger was restored from a copy since.
	FirstPolled time.Time

	Snapshot *Snapshot // what statistics show; nil: they tell nothing new
	Gone     bool      // the product does not show the device any more
	Shown    bool      // the product showed the device lately

	Read      bool      // the history was read
	Since     time.Time // as far back, in the sessions' own time
	History   []Session // what it lists
	NoHistory string    // why it could not be read; empty: it could, or was not tried

	Tests []RecoveryTest // the device's newest recovery tests, where they were asked for
}

// waited is for how long something is as it is since then, as far as is known.
func (o Look) waited(since time.Time) time.Duration { return o.Trusted.Sub(o.from(since)) }

// from is when waiting for something began that is so since then.
func (o Look) from(since time.Time) time.Time { return latest(since, o.SteadySince) }

// Observe adds what a look found out.
func (j *Journal) Observe(o Look, rules Rules) {
	first := j.First.IsZero()
	if first {
		j.First, j.Floor = o.Trusted, o.Since
		if newest := o.newestStart(); newest.Before(j.Floor) { // it never ran, is idle, or its clock is slow
			j.Floor = newest
		}
	}
	j.Reread = false
	switch {
	case o.Snapshot != nil:
		j.Device = j.Device.Update(o.Snapshot.Device)
		j.MissingSince = time.Time{}
		j.watchCloud(o)
	case o.Gone && j.MissingSince.IsZero():
		j.MissingSince = o.Trusted
	}
	if o.Read {
		j.NoHistory, j.RetryAt = "", time.Time{}
		j.mergeHistory(o, rules, first)
	}
	if o.NoHistory != "" {
		j.NoHistory, j.RetryAt = o.NoHistory, o.Trusted.Add(rules.Retry)
	}
	if o.Snapshot != nil {
		j.mergeStatistics(o, rules, first)
	}
	j.matchPending(o, rules)
	if j.RereadUntil.After(o.Now.Add(rules.Patience)) { // a clock was put back
		j.RereadUntil = o.Now.Add(rules.Patience)
	}
	if j.Reread = j.Reread || o.Now.Before(j.RereadUntil); !j.Reread {
		j.RereadUntil = time.Time{}
	}
	j.endWedged(o, rules)
	j.endRestarted(o, rules)
	if first {
		j.Orphan = j.lastEnd().Before(o.Trusted.Add(-orphanAge))
	} else if j.quietSince().After(j.First) {
		j.Orphan = false
	}
	j.trim()
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Clone copies the journal; sessions' error texts, which it does not hold, aside.
func (j Journal) Clone() Journal {
	j.Sessions, j.Running, j.Pending = slices.Clone(j.Sessions), slices.Clone(j.Running), slices.Clone(j.Pending)
	j.Past, j.Overdue = slices.Clone(j.Past), slices.Clone(j.Overdue)
	j.Tests, j.Good = maps.Clone(j.Tests), maps.Clone(j.Good)
	heard := maps.Clone(j.Acknowledged)
	for key, times := range heard {
		heard[key] = slices.Clone(times)
	}
	j.Acknowledged = heard
	return j
}
