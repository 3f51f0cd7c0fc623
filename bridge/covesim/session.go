package covesim

import "time"

// Session is one backup (or restore) of one data source: what really happened.
type Session struct {
	DeviceID int64     `json:"device_id"`
	Device   string    `json:"device"` // its name
	Source   string    `json:"source"` // code of the data source: "D01"
	ID       int64     `json:"id"`     // counts up per device, as session history has it
	Restore  bool      `json:"restore,omitempty"`
	Status   int       `json:"status"`       // Cove's number
	Start    time.Time `json:"start"`        // as in session history; statistics may tell another (see Skew)
	End      time.Time `json:"end,omitzero"` // zero while it runs

	SelectedCount  int64 `json:"selected_count"`
	SelectedBytes  int64 `json:"selected_bytes"`
	ProcessedCount int64 `json:"processed_count"`
	ProcessedBytes int64 `json:"processed_bytes"`
	SentBytes      int64 `json:"sent_bytes"`
	ErrorsCount    int64 `json:"errors_count"` // of all Errors; Cove may tell 0 (see NoErrorsCount)

	Errors []Error `json:"errors,omitempty"`
}

// Error is one error of a session, or several with the same text.
type Error struct {
	ID    int64     `json:"id"`
	Code  int       `json:"code"`
	Text  string    `json:"text"`
	Files []string  `json:"files"` // one of each; for Microsoft 365 the mailbox or site
	Count int64     `json:"count"`
	Time  time.Time `json:"time"`
}

// Cove's numbers for the status of a session.
const (
	InProcess            = 1
	Failed               = 2
	Aborted              = 3
	Unknown              = 4
	Completed            = 5
	Interrupted          = 6
	NotStarted           = 7
	CompletedWithErrors  = 8
	InProgressWithFaults = 9
	OverQuota            = 10
	NoSelection          = 11
	Restarted            = 12
	Blocked              = 13
	undocumented         = 17
)

var statusWords = map[int]string{
	1: "InProcess", 2: "Failed", 3: "Aborted", 4: "Unknown", 5: "Completed", 6: "Interrupted", 7: "NotStarted",
	8: "CompletedWithErrors", 9: "InProgressWithFaults", 10: "OverQuota", 11: "NoSelection", 12: "Restarted", 13: "Blocked",
}

// outcomes are the ways to end when not all goes well; the frequent ones more than once.
var outcomes = []int{
	CompletedWithErrors, CompletedWithErrors, CompletedWithErrors, CompletedWithErrors, Failed, Failed, Failed,
	Aborted, Interrupted, NotStarted, OverQuota, NoSelection, Unknown, Blocked,
}

// sessions makes the session of the ith data source in the nth cycle, within
// the room given; two where the first is given up and begun anew.
func (f *fleet) sessions(d *device, i int, n int64, begin time.Time, room time.Duration, r *dice) []Session {
	if !d.has(Restarts) || !r.oneIn(4) {
		return []Session{f.session(d, i, n, begin, room, r)}
	}
	first := f.session(d, i, n, begin, room/4, r)
	first.Status = Restarted
	if r.oneIn(5) {
		return []Session{first} // and was not begun anew
	}
	pause := r.between(min(30*time.Second, room/20), min(5*time.Minute, room/10))
	return []Session{first, f.session(d, i, n, first.End.Add(pause), room/2, r)}
}

// session makes one session that ends in room at the latest.
func (f *fleet) session(d *device, i int, n int64, begin time.Time, room time.Duration, r *dice) Session {
	s := Session{Source: d.sources[i].code, Start: begin.Truncate(time.Second), Status: Completed}
	length := min(room, 5*time.Minute+time.Duration(d.bytes[i]/1e9)*2*time.Second)
	s.End = s.Start.Add(r.between(length/4, length))
	if r.percent(d.trouble) {
		s.Status = pick(r, outcomes)
	}
	if d.has(UnknownStatus) && r.oneIn(3) {
		s.Status = undocumented
	}
	s.SelectedCount = d.sources[i].count/2 + d.sources[i].count*(n%400)/1000 + 1
	s.SelectedBytes = d.bytes[i] + d.bytes[i]/1000*(n%400)
	if d.has(Shrinking) && n%20 > 16 {
		s.SelectedCount, s.SelectedBytes = s.SelectedCount/10, s.SelectedBytes/10
	}
	part := 1 + r.below(40) // thousandths that changed
	switch s.Status {
	case NotStarted:
		s.End = s.Start
		part = 0
	case NoSelection:
		s.SelectedCount, s.SelectedBytes = 0, 0
	}
	s.ProcessedCount, s.ProcessedBytes = s.SelectedCount*part/1000, s.SelectedBytes/1000*part
	s.SentBytes = s.ProcessedBytes / (2 + r.below(20))
	return s
}

// finished tells whether it had ended by now.
func (s Session) finished(now time.Time) bool { return !s.End.After(now) }

// at gives the session as it stood at a time, by which it had started: one
// that was running has no end yet, and only part of its work is done.
func (s Session) at(now time.Time) Session {
	if s.finished(now) {
		return s
	}
	length := int64(s.End.Sub(s.Start) / time.Second)
	done := int64(now.Sub(s.Start) / time.Second)
	for _, v := range []*int64{&s.ProcessedCount, &s.ProcessedBytes, &s.SentBytes} {
		*v = int64(float64(*v) * float64(done) / float64(length))
	}
	s.Status = InProcess
	if s.ErrorsCount > 0 && done > length/2 {
		s.Status = InProgressWithFaults
	}
	s.End, s.ErrorsCount = time.Time{}, 0
	return s
}
