package covesim

import (
	"strings"
	"time"
)

// timeStamp is the column TS, whose meaning is disputed: the last change of a
// session; or when the device was last seen; or a day's, whatever happens.
func (r *record) timeStamp() int64 {
	switch {
	case r.has(OtherTimeStamp) && r.index%2 == 0:
		return r.now.Truncate(5 * time.Minute).Unix()
	case r.has(OtherTimeStamp):
		return r.now.Truncate(day).Unix()
	}
	longest := 2 * r.period
	if r.has(Wedged) {
		longest = 30 * r.period
	}
	last := r.created
	for s := range r.fleet.newestFirst(r.device, r.now) {
		if s.finished(r.now) && s.End.After(last) {
			last = s.End
		}
		if s.Start.After(last) {
			last = s.Start
		}
		if s.Start.Before(last.Add(-longest)) {
			break // it and all before it have ended earlier
		}
	}
	return last.Unix()
}

// used is the storage in the cloud, growing by a thousandth a day.
func (r *record) used() int64 {
	if r.has(NeverRan) {
		return 0
	}
	var bytes int64
	for _, b := range r.bytes {
		bytes += b + b/1000*int64(r.now.Sub(r.created)/day)
	}
	return bytes
}

// storage is the column YS: offline, running, synchronised, or undefined. Where
// there is a LocalSpeedVault, the cloud is filled from it after the backup.
func (r *record) storage() int {
	last := r.present(total.code).last
	switch {
	case last == nil:
		return 0
	case r.has(VaultOnly) && r.now.Unix()/int64(day/time.Second)%3 == 0:
		return -2
	case last.End.IsZero(), r.has(CloudStands), r.hasVault() && r.now.Before(last.End.Add(r.period/8)):
		return 50
	}
	return 100
}

// vault is the column YV: synchronised, or undefined where there is none.
func (r *record) vault() int {
	if r.hasVault() && r.present(total.code).last != nil {
		return 100
	}
	return 0
}

// hasVault: one server in three writes to a LocalSpeedVault first.
func (r *record) hasVault() bool { return r.kind == server && r.index%5 == 0 }

// machine is the column I81.
func (r *record) machine() string {
	switch {
	case r.kind == tenant:
		return "Undefined"
	case r.kind == server && r.index%3 > 0:
		return "Virtual"
	}
	return "Physical"
}

// activeSources is the column AP: D01D02D10, D1D2D10 or D1,D2,D10.
func (r *record) activeSources() string {
	var codes []string
	for _, s := range r.sources {
		code := s.code
		if r.has(SourceSpelling) {
			code = "D" + strings.TrimLeft(code[1:], "0")
		}
		codes = append(codes, code)
	}
	if r.has(SourceSpelling) && r.index%2 == 0 {
		return strings.Join(codes, ",")
	}
	return strings.Join(codes, "")
}
