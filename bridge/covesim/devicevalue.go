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

// storage is the column YS: running, synchronised, or undefined.
func (r *record) storage() int {
	last := r.present(total.code).last
	switch {
	case last == nil:
		return 0
	case last.End.IsZero():
		return 50
	}
	return 100
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
