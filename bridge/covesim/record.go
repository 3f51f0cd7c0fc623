package covesim

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// record is a device as statistics tell of it at a moment.
type record struct {
	fleet *fleet
	*device
	now      time.Time
	presents map[string]*present // worked out when first needed
}

// look gives a column by any of its names; for filters.
func (r *record) look(name string) string {
	c, ok := parseColumn(name)
	if !ok {
		return ""
	}
	v, _ := r.value(c)
	return v
}

// value gives a column's value, if the device has it.
func (r *record) value(c column) (string, bool) {
	if c.source == "" {
		return r.deviceValue(c.number)
	}
	p := r.present(c.source)
	if p == nil {
		return "", false
	}
	return r.sourceValue(p, c)
}

func (r *record) present(code string) *present {
	if r.presents == nil {
		r.presents = r.fleet.presents(r.device, r.now)
	}
	return r.presents[code]
}

func (r *record) deviceValue(number int) (string, bool) {
	var v any
	switch number {
	case 0:
		v = r.id
	case 1:
		v = r.name
	case 2:
		v = r.alias
	case 4:
		v = r.created.Unix()
	case 5:
		v = 0
	case 6:
		v = r.timeStamp()
	case 8:
		v = r.customer.name
	case 9:
		v = 1 + r.kind
	case 10:
		v = "All-In"
	case 11:
		v = strings.ToUpper(r.host[:2])
	case 12:
		v = r.customer.code
	case 14, 31:
		v = r.used()
	case 15:
		v = "backup@" + r.host
	case 16:
		v = r.os
	case 17:
		v = r.client
	case 18:
		v = r.computer
	case 19:
		v = fmt.Sprintf("10.%d.%d.%d", r.index/250%250, r.index%250, r.kind+10)
	case 20:
		v = fmt.Sprintf("203.0.113.%d", r.index%250)
	case 24:
		v = r.zone
	case 32:
		v = int(r.kind)
	case 36:
		v = r.storage()
	case 37:
		v = r.vault()
	case 80:
		v = 0
	case 39:
		v = 28
	case 54:
		v = 100 + r.index%4
	case 56:
		v = []string{"Servers", "Workstations", "Documents", "Silver"}[r.index%4]
	case 59:
		v = r.accountType()
	case 77:
		v = r.customer.code
	case 78:
		v = r.activeSources()
	case 81:
		v = r.machine()
	case 83:
		v = r.customer.id
	default:
		return "", false
	}
	text := fmt.Sprint(v)
	return text, text != ""
}

func (r *record) sourceValue(p *present, c column) (string, bool) {
	none := &Session{}
	last, done, before, success := p.last, p.done, p.before, p.success
	for _, s := range []**Session{&last, &done, &before, &success} {
		if *s == nil {
			*s = none
		}
	}
	duration, end := r.skewed(done)
	var v int64
	switch c.number {
	case 0:
		v = int64(last.Status)
	case 1:
		v = done.SelectedCount
	case 2:
		v = done.ProcessedCount
	case 3, 7:
		v = done.SelectedBytes
	case 4:
		v = done.ProcessedBytes
	case 5:
		v = done.SentBytes
	case 6:
		if v = done.ErrorsCount; r.has(NoErrorsCount) {
			v = 0
		}
	case 8:
		return r.fleet.colourBar(r.device, c.source, r.now), true
	case 9:
		v = seconds(success.End)
	case 10:
		v = before.SelectedCount
	case 11:
		v = before.SelectedBytes
	case 12:
		v = duration
	case 13:
		v = 1
	case 14:
		v = 28
	case 15:
		if v = seconds(last.Start); r.has(LastSessionEnd) {
			v = end
		}
	case 16:
		v = int64(success.Status)
	case 17:
		v = int64(done.Status)
	case 18:
		v = end
	case 20, 21:
		if c.source != mailboxes.code {
			return "", false
		}
		v = int64(r.index%40 + 5*(22-c.number))
	default:
		return "", false
	}
	return strconv.FormatInt(v, 10), true
}

// seconds is Unix time, where 0 means never.
func seconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

// skewed gives F12 and F18 of a session, whose difference is up to a minute
// off its true start on some devices.
func (r *record) skewed(s *Session) (duration, end int64) {
	end = seconds(s.End)
	duration = int64(s.End.Sub(s.Start) / time.Second)
	if !r.has(Skew) || duration == 0 {
		return duration, end
	}
	d := throw(9, uint64(r.id), uint64(s.Start.Unix()))
	off := min(60, int64(r.period/time.Second)/20)
	return max(0, duration-off+d.below(2*off+1)), end
}
