package cove

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"

	"covebridge/bridge/backup"
)

// value is a scalar of a reply, in whichever way Cove wrote it: as a string, a
// number, a boolean, or an array, of which the first counts. null, objects and
// what is missing are not set.
type value struct {
	text string
	set  bool
}

// UnmarshalJSON takes any JSON.
func (v *value) UnmarshalJSON(b []byte) error {
	*v = value{}
	b = bytes.TrimSpace(b)
	if len(b) == 0 {
		return nil
	}
	if b[0] == '[' {
		var list []json.RawMessage
		if err := json.Unmarshal(b, &list); err != nil || len(list) == 0 {
			return err
		}
		b = list[0]
	}
	switch b[0] {
	case '[', '{', 'n':
		return nil
	case '"':
		v.set = true
		return json.Unmarshal(b, &v.text)
	}
	*v = value{string(b), true}
	return nil
}

// number reads the value as a whole number. Beyond int64 it is not known.
func (v value) number() (int64, bool) {
	text := strings.TrimSpace(v.text)
	if !v.set || text == "" || len(text) > 40 {
		return 0, false
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, true
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(f) || math.Abs(f) >= 1<<63 {
		return 0, false
	}
	return int64(f), true
}

// count reads a count or a size: backup.Unknown where it is missing,
// negative, beyond int64, or no number.
func (v value) count() int64 {
	if n, ok := v.number(); ok && n >= 0 {
		return n
	}
	return backup.Unknown
}

// latest is the year 5138 in seconds; a time beyond it is in smaller units.
const latest = 100_000_000_000

// time reads Unix seconds. One client of Cove's guards against milliseconds,
// so these are taken too, and so is RFC 3339. "0" and what can't be read is
// the zero time: never.
func (v value) time() time.Time {
	n, ok := v.number()
	if !ok {
		t, err := time.Parse(time.RFC3339, strings.TrimSpace(v.text))
		if err != nil || t.Unix() <= 0 {
			return time.Time{}
		}
		return t.UTC().Truncate(time.Second)
	}
	for n > latest {
		n /= 1000
	}
	if n <= 0 {
		return time.Time{}
	}
	return time.Unix(n, 0).UTC()
}

// longest is more than any session takes; some stay wedged for weeks.
const longest = 366 * 24 * time.Hour

// seconds reads a duration; one that is negative, unknown or beyond a year is 0.
func (v value) seconds() time.Duration {
	n, ok := v.number()
	if !ok || n < 0 || n > int64(longest/time.Second) {
		return 0
	}
	return time.Duration(n) * time.Second
}

// row is an object of a reply, its keys in lower case, for Cove's services
// spell the same field in more than one way.
type row map[string]value

// UnmarshalJSON takes any JSON; what is no object is an empty row.
func (r *row) UnmarshalJSON(b []byte) error {
	*r = row{}
	if b = bytes.TrimSpace(b); len(b) == 0 || b[0] != '{' {
		return nil
	}
	var fields map[string]value
	if err := json.Unmarshal(b, &fields); err != nil {
		return err
	}
	for key, v := range fields {
		// null beside a value in the other spelling does not hide it.
		if key = strings.ToLower(key); v.set || !(*r)[key].set {
			(*r)[key] = v
		}
	}
	return nil
}

// get gives the first of the fields that is set and not empty.
func (r row) get(names ...string) value {
	for _, name := range names {
		if v := r[name]; v.set && v.text != "" {
			return v
		}
	}
	return value{}
}
