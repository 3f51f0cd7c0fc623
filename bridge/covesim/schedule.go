package covesim

import "time"

// epoch is where the counting of cycles begins.
var epoch = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

// schedule sets when the device backs up.
func (d *device) schedule(every time.Duration, r *dice) {
	switch {
	case every > 0:
		d.period = every
	case d.kind == tenant:
		d.period = 6 * time.Hour
	case d.kind == workstation:
		d.period = day
	default:
		d.period = pick(r, []time.Duration{day, day, day, 12 * time.Hour, 4 * time.Hour, 4 * time.Hour, time.Hour})
	}
	d.phase = r.between(0, d.period-time.Second)
	if d.period == day { // servers at night, workstations around noon, in local time
		begin := 21 * time.Hour
		if d.kind == workstation {
			begin = 11 * time.Hour
		}
		d.phase = (begin + r.between(0, 5*time.Hour) - time.Duration(d.zone)*time.Hour).Round(15*time.Minute) % day
	}
}

// cycleAt is the number of the cycle that t lies in.
func (d *device) cycleAt(t time.Time) int64 { return int64(t.Sub(epoch)-d.phase) / int64(d.period) }

// cycleStart is when the schedule sets off the nth cycle.
func (d *device) cycleStart(n int64) time.Time {
	return epoch.Add(d.phase + time.Duration(n)*d.period)
}

// off tells whether the nth cycle does not take place at all.
func (f *fleet) off(d *device, n int64) bool {
	start := d.cycleStart(n)
	if d.has(NeverRan) || start.Before(f.first) || start.Before(d.created) {
		return true
	}
	if f.options.Every > 0 {
		return false
	}
	if d.has(Silent) {
		begin := f.options.Start.Add(-36 * time.Hour)
		return !start.Before(begin) && start.Before(begin.Add(8*day))
	}
	if d.kind != workstation {
		return false
	}
	r := throw(f.options.Seed, 6, uint64(d.index), uint64(n))
	switch start.Add(time.Duration(d.zone) * time.Hour).Weekday() {
	case time.Saturday, time.Sunday:
		return !r.oneIn(10)
	}
	return r.oneIn(6) // a day off
}
