package backup

import (
	"maps"
	"slices"
	"strconv"
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

	NoHistory string    `json:"no_history,omitempty"` // why its session history can't be read; empty: it can
	RetryAt   time.Time `json:"retry_at,omitzero"`    // when that is tried again
	Again     bool      `json:"again,omitempty"`      // the history is to be read again at the next poll
	Watch     time.Time `json:"watch,omitzero"`       // until when it is read at each poll, for a session may be listed late
	Missing   time.Time `json:"missing,omitzero"`     // since when the product shows the device no more
	Orphan    bool      `json:"orphan,omitempty"`     // it had been silent for weeks when it was first seen, and still is

	// Sessions are those remembered, by start. A listed one that is none of them
	// is new if its Seq is beyond Seq, or if it started at Floor or later.
	Sessions []Known   `json:"sessions,omitempty"`
	Floor    time.Time `json:"floor,omitzero"`
	Seq      int64     `json:"seq,omitempty"`

	// Running are the sessions that statistics last told of as running. Pending
	// are ends that statistics told of and the history does not list yet. Heard
	// are the ends that were dealt with, by data source, newest last.
	Running []Known                `json:"running,omitempty"`
	Pending []Pending              `json:"pending,omitempty"`
	Heard   map[string][]time.Time `json:"heard,omitempty"`

	Past    []Past   `json:"past,omitempty"`    // the newest runs that went out, by start
	Overdue []string `json:"overdue,omitempty"` // identities of the overdue runs that were told of
	Silence Told     `json:"silence,omitzero"`  // the last mail about silence
	Waits   Waits    `json:"waits,omitzero"`    // the run that waits for its error texts
}

// Pending is an end that statistics told of and the history does not list yet.
type Pending struct {
	Known
	Since time.Time `json:"since"` // by the product's clock
	Looks int       `json:"looks"` // how often the history was read in vain
}

// Told is what a mail was about.
type Told struct {
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
	// Apart tells whether a data source makes runs of its own, beside all others.
	Apart func(DataSource) bool
}

// Look is what was found out about a device.
type Look struct {
	Now  time.Time // the product's clock, or Sure where that is later
	Sure time.Time // the clock that waiting is measured by
	// Last is when all devices were last read, by Sure: what ended before would
	// have been seen then. Zero: never.
	Last time.Time
	// Baseline, at first sight: sessions that ended before are old.
	Baseline time.Time

	// Opened is when this process began to work on the ledger. What ended before
	// may have been sent already, if the ledger was restored from a copy since.
	Opened time.Time

	Snapshot *Snapshot // what statistics show; nil: they tell nothing new
	Gone     bool      // the product does not show the device any more
	Shown    bool      // the product showed the device lately

	Read      bool      // the history was read
	Since     time.Time // as far back, in the sessions' own time
	History   []Session // what it lists
	NoHistory string    // why it could not be read; empty: it could, or was not tried
}

// Observe adds what a look found out.
func (j *Journal) Observe(o Look, rules Rules) {
	first := j.First.IsZero()
	if first {
		j.First, j.Floor = o.Sure, o.Since
		if newest := o.newest(); newest.Before(j.Floor) { // it never ran, is idle, or its clock is slow
			j.Floor = newest
		}
	}
	j.Again = false
	switch {
	case o.Snapshot != nil:
		j.describe(o.Snapshot.Device)
		j.Missing = time.Time{}
	case o.Gone && j.Missing.IsZero():
		j.Missing = o.Sure
	}
	if o.Read {
		j.NoHistory, j.RetryAt = "", time.Time{}
		j.list(o, rules, first)
	}
	if o.NoHistory != "" {
		j.NoHistory, j.RetryAt = o.NoHistory, o.Sure.Add(rules.Retry)
	}
	if o.Snapshot != nil {
		j.hear(o, rules, first)
	}
	j.await(o, rules)
	if j.Watch.After(o.Now.Add(rules.Patience)) { // a clock was put back
		j.Watch = o.Now.Add(rules.Patience)
	}
	if j.Again = j.Again || o.Now.Before(j.Watch); !j.Again {
		j.Watch = time.Time{}
	}
	j.endWedged(o, rules)
	j.endRestarted(o, rules)
	if first {
		j.Orphan = j.lastEnd().Before(o.Sure.Add(-orphaned))
	} else if j.quietSince().After(j.First) {
		j.Orphan = false
	}
	j.trim()
}

// newest is when the last session began that statistics tell of; zero: none ever did.
func (o Look) newest() (start time.Time) {
	if o.Snapshot != nil {
		for _, s := range o.Snapshot.Sessions {
			start = latest(start, s.Start)
		}
	}
	return start
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
	heard := maps.Clone(j.Heard)
	for key, times := range heard {
		heard[key] = slices.Clone(times)
	}
	j.Heard = heard
	return j
}

// describe takes over what is told of the device; what is not told stays.
func (j *Journal) describe(d Device) {
	keep := func(told *string, known string) {
		if *told == "" {
			*told = known
		}
	}
	k := j.Device
	keep(&d.Name, k.Name)
	keep(&d.Type, k.Type)
	keep(&d.Alias, k.Alias)
	keep(&d.OS, k.OS)
	keep(&d.Customer, k.Customer)
	keep(&d.CustomerID, k.CustomerID)
	if d.Type != Microsoft365 { // a tenant's computer means nothing
		keep(&d.Computer, k.Computer)
	}
	if d.CustomerPath == nil && d.CustomerID == k.CustomerID {
		d.CustomerPath = k.CustomerPath
	}
	if d.Created.IsZero() {
		d.Created = k.Created
	}
	if d.UsedStorage == Unknown && k.ID != "" {
		d.UsedStorage = k.UsedStorage
	}
	if d.ColourBar == nil {
		d.ColourBar = k.ColourBar
	}
	j.Device = d
}

// list takes in what the history lists.
func (j *Journal) list(o Look, rules Rules, first bool) {
	seq := j.Seq
	var fresh []Known
	for _, s := range o.History {
		if s.ID == "" { // told apart by its start, then
			s.ID = "@" + strconv.FormatInt(s.Start.Unix(), 10)
		}
		seq = max(seq, s.Seq)
		if i := j.find(s); i >= 0 {
			j.Sessions[i].update(s, o)
			continue
		}
		k := Known{Session: s, Begun: between(s.Start, o.Last, o.Sure)}
		switch {
		case s.State != Running:
			k.Done = between(s.End, o.Last, o.Sure)
			k.Old = first && !s.End.After(o.Baseline)
		case first: // since when by our clock is not known
			k.Begun = o.Sure
		}
		fresh = append(fresh, k)
	}
	sortKnown(fresh)
	for _, k := range j.recognise(fresh) {
		beyond := k.Seq > 0 && j.Seq > 0 && k.Seq > j.Seq
		if first || beyond || !k.Start.Before(j.Floor) {
			j.Sessions = append(j.Sessions, k)
		}
	}
	if seq > j.Seq && (j.Seq > 0 || j.Floor.IsZero()) && missing(fresh, j.Seq, seq) {
		j.Watch = o.Now.Add(rules.Patience)
	}
	j.Seq = seq
	sortKnown(j.Sessions)
}

// missing tells whether the numbers of sessions between two of them are not all
// there: one may be listed late, behind a newer one. (Or it was a restore.)
func missing(fresh []Known, from, to int64) bool {
	n := int64(0)
	for _, k := range fresh {
		if k.Seq > from {
			n++
		}
	}
	return n < to-from
}

// find gives the remembered session with the same id; -1: none.
func (j *Journal) find(s Session) int {
	return slices.IndexFunc(j.Sessions, func(k Known) bool { return k.ID == s.ID && k.Source.Key == s.Source.Key })
}

// update takes over what the history lists now. Of a session that went out
// nothing changes any more, and what ended does not run again.
func (k *Known) update(s Session, o Look) {
	if k.Run != "" || s.State == Running && k.State != Running {
		return
	}
	if s.State != Running && k.State == Running {
		k.Done = between(s.End, o.Last, o.Sure)
	}
	s.Told = k.Told
	k.Session = s
}

// recognise finds the sessions that are known from statistics alone among
// those that the history lists for the first time, and gives the others.
func (j *Journal) recognise(fresh []Known) (others []Known) {
	taken := make([]bool, len(fresh))
	for _, source := range sourcesOf(fresh) {
		var told, listed []Session
		var toldAt, listedAt []int
		for i, k := range j.Sessions {
			if !k.listed() && k.Source.Key == source {
				told, toldAt = append(told, k.Session), append(toldAt, i)
			}
		}
		for i, k := range fresh {
			if k.Source.Key == source && k.State != Running {
				listed, listedAt = append(listed, k.Session), append(listedAt, i)
			}
		}
		for t, l := range matchListed(told, listed) {
			if l < 0 {
				continue
			}
			k, s := &j.Sessions[toldAt[t]], listed[l]
			taken[listedAt[l]] = true
			if k.Run == "" {
				s.Told = k.Told
				k.Session = s
			} else {
				k.ID, k.Seq = s.ID, s.Seq
			}
		}
	}
	for i, k := range fresh {
		if !taken[i] {
			others = append(others, k)
		}
	}
	return others
}

func sourcesOf(all []Known) (keys []string) {
	for _, k := range all {
		if !slices.Contains(keys, k.Source.Key) {
			keys = append(keys, k.Source.Key)
		}
	}
	return keys
}

// hear takes in what statistics tell: what runs, and which ends are new.
func (j *Journal) hear(o Look, rules Rules, first bool) {
	was := j.Running
	j.Running = nil
	for _, s := range o.Snapshot.Sessions {
		if s.State == Running {
			k := Known{Session: s, Begun: between(s.Start, o.Last, o.Sure)}
			if s.Approx || o.Last.IsZero() { // since when is not known
				k.Begun = o.Sure
			}
			if i := slices.IndexFunc(was, func(w Known) bool { return w.Source.Key == s.Source.Key && (w.Approx || w.Start.Equal(s.Start)) }); i >= 0 {
				k.Begun = was[i].Begun
			}
			j.Running = append(j.Running, k)
			continue
		}
		told := s.Told
		if told.IsZero() || slices.ContainsFunc(j.Heard[s.Source.Key], told.Equal) ||
			slices.ContainsFunc(j.Pending, func(p Pending) bool { return p.Source.Key == s.Source.Key && p.Told.Equal(told) }) {
			continue
		}
		k := Known{Session: s, Begun: between(s.Start, o.Last, o.Sure), Done: between(s.End, o.Last, o.Sure)}
		if first && !s.End.After(o.Baseline) {
			k.Old = true
			if j.associate(s, o.Now.Add(rules.Patience)) < 0 {
				j.Sessions = append(j.Sessions, k)
				sortKnown(j.Sessions)
			}
			j.acknowledge(s)
			continue
		}
		j.Pending = append(j.Pending, Pending{Known: k, Since: o.Now})
	}
}

// await deals with the ends that statistics told of: each is a session that
// the history lists, or one that it will list, or, where the history can't be
// read or does not list it in the end, one that statistics alone tell of.
func (j *Journal) await(o Look, rules Rules) {
	slices.SortStableFunc(j.Pending, func(a, b Pending) int { return a.Told.Compare(b.Told) })
	j.Pending = slices.DeleteFunc(j.Pending, func(p Pending) bool {
		patient := p.Looks < 2 || o.Now.Sub(p.Since) < rules.Patience
		switch {
		case j.associate(p.Session, o.Now.Add(rules.Patience)) >= 0:
		case j.NoHistory != "":
			j.believe(p.Known, o)
		case !patient && !j.explain(p.Session):
			j.believe(p.Known, o)
		case patient:
			return false
		}
		j.acknowledge(p.Session)
		return true
	})
	for i := range j.Pending {
		p := &j.Pending[i]
		if o.Read {
			p.Looks++
		}
		if p.Since.After(o.Now) { // a clock was put back
			p.Since = o.Now
		}
	}
}

// associate finds the listed session that statistics told the end of, among
// those that come after the one that they told of before, and marks it; -1: none.
func (j *Journal) associate(told Session, until time.Time) int {
	best, least := -1, time.Duration(apart)
	if j.NoHistory != "" { // its own may not be listed at all
		least = near
	}
	for i, k := range slices.Backward(j.Sessions) {
		if k.Source.Key != told.Source.Key || !k.listed() || k.State == Running {
			continue
		}
		if !k.Told.IsZero() {
			if k.Told.Before(told.Told) {
				break
			}
			continue
		}
		if d, ok := distance(told, k.Session); ok && d <= least {
			best, least = i, d
		}
	}
	if best >= 0 {
		j.Sessions[best].Told = told.Told
		if s := j.Sessions[best]; min(told.Told.Sub(s.End).Abs(), told.Told.Sub(s.Start).Abs()) > exact {
			j.Watch = until // it might be one that the history does not list yet, close to this one
		}
	}
	return best
}

// explain tells whether the history lists a session for this end, too, if those
// that were told around it are given to others, in their order; it does so.
func (j *Journal) explain(told Session) bool {
	var ends, listed []Session
	var at []int
	for i, k := range j.Sessions {
		if k.Source.Key != told.Source.Key || !k.listed() || k.State == Running || k.Start.Sub(told.Told).Abs() > day/8 {
			continue
		}
		listed, at = append(listed, k.Session), append(at, i)
		if !k.Told.IsZero() {
			s := k.Session
			s.Approx = true
			ends = append(ends, s)
		}
	}
	ends = append(ends, told)
	slices.SortStableFunc(ends, func(a, b Session) int { return a.Told.Compare(b.Told) })
	match := matchListed(ends, listed)
	if slices.Contains(match, -1) {
		return false
	}
	for _, i := range at {
		j.Sessions[i].Told = time.Time{}
	}
	for e, l := range match {
		j.Sessions[at[l]].Told = ends[e].Told
	}
	return true
}

// believe records a session that statistics alone tell of. It may be the end
// of one that the history listed as running.
func (j *Journal) believe(told Known, o Look) {
	for i := range j.Sessions {
		k := &j.Sessions[i]
		if k.Source.Key != told.Source.Key || k.State != Running || k.Run != "" {
			continue
		}
		if told.Approx || told.Start.Sub(k.Start).Abs() <= 2*near {
			id, seq, start := k.ID, k.Seq, k.Start
			k.Session = told.Session
			k.ID, k.Seq, k.Start, k.Approx, k.Done = id, seq, start, false, told.Done
			if k.End.Before(k.Start) {
				k.End = k.Start
			}
			return
		}
	}
	j.Sessions = append(j.Sessions, told)
	sortKnown(j.Sessions)
}

// acknowledge remembers that an end was dealt with.
func (j *Journal) acknowledge(told Session) {
	if j.Heard == nil {
		j.Heard = map[string][]time.Time{}
	}
	heard := append(j.Heard[told.Source.Key], told.Told)
	j.Heard[told.Source.Key] = heard[max(0, len(heard)-4):]
}

// endWedged ends the sessions that can't end by themselves any more: only one
// session of a data source runs at a time, so a running one behind which a newer
// one began is over; and so is everything on a device that is gone for long.
func (j *Journal) endWedged(o Look, rules Rules) {
	limit := rules.MaxWait
	if limit == 0 {
		limit = day
	}
	gone := !j.Missing.IsZero() && o.Sure.Sub(j.Missing) >= limit
	if gone {
		for _, p := range j.Pending {
			j.believe(p.Known, o)
			j.acknowledge(p.Session)
		}
		j.Running, j.Pending = nil, nil
	}
	sortKnown(j.Sessions)
	newer := map[string]time.Time{}
	for i, k := range slices.Backward(j.Sessions) {
		next, passed := newer[k.Source.Key]
		newer[k.Source.Key] = k.Start
		k := &j.Sessions[i]
		if k.State != Running || k.Run != "" {
			continue
		}
		ended := slices.ContainsFunc(j.Pending, func(p Pending) bool {
			return p.Source.Key == k.Source.Key && (p.Approx || p.Start.Sub(k.Start).Abs() <= apart)
		})
		switch {
		case ended: // statistics told how, and will be believed
		case gone:
			k.giveUp(k.Start, o.Sure)
		case passed && (k.Passed && o.Read || o.Sure.Sub(k.Begun) >= limit):
			k.giveUp(next, o.Sure)
		case passed: // the history may be about to tell its end
			k.Passed, j.Again = true, j.NoHistory == ""
		}
	}
}

// endRestarted ends the restarted sessions that no other took the place of
// within the window: such a one has no result, and must not be lost.
func (j *Journal) endRestarted(o Look, rules Rules) {
	for i := range j.Sessions {
		k := &j.Sessions[i]
		if k.State != Restarted || k.Run != "" {
			continue
		}
		next := slices.IndexFunc(j.Sessions[i+1:], func(n Known) bool { return n.Source.Key == k.Source.Key })
		switch {
		case next >= 0 && (k.End.IsZero() || !j.Sessions[i+1+next].Start.After(k.End.Add(rules.Window))):
			continue // replaced
		case next < 0 && (j.expects(k.Source) || o.Now.Before(k.Done.Add(rules.Window))):
			continue // the next one may still come
		}
		k.State, k.Status = Ended, Warning
		if k.End.IsZero() {
			k.End = k.Start
		}
	}
}

// expects tells whether a session of the data source runs, or has ended and is
// not listed yet, as far as statistics tell.
func (j *Journal) expects(source DataSource) bool {
	same := func(k Known) bool { return k.Source.Key == source.Key }
	return slices.ContainsFunc(j.Running, same) || slices.ContainsFunc(j.Pending, func(p Pending) bool { return same(p.Known) })
}
