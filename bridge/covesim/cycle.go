package covesim

import (
	"iter"
	"slices"
	"time"
)

// cycleIDs is how many session ids a cycle has: they count up with the cycles.
const cycleIDs = 32

// cycle gives the sessions of the device's nth cycle as they will have been
// when all is over, in the order of their starts.
func (f *fleet) cycle(d *device, n int64) []Session {
	if f.off(d, n) {
		return nil
	}
	r := throw(f.options.Seed, 7, uint64(d.index), uint64(n))
	var all []Session
	wedged := n - d.cycleAt(f.options.Start) + 3 // cycles since it got stuck, three before Start
	at := d.cycleStart(n).Add(r.between(0, min(3*time.Minute, d.period/20)))
	for i := range d.sources {
		if i == 0 && (d.has(LongRuns) && n%12 == 5 || d.has(Wedged) && wedged > 0 && wedged < 28) {
			continue // the session before is still at it
		}
		begin := at
		if d.sideBySide {
			begin = begin.Add(r.between(0, min(time.Minute, d.period/20)))
		}
		room := d.period * 6 / 10
		if !d.sideBySide {
			room /= time.Duration(len(d.sources))
		}
		made := f.sessions(d, i, n, begin, room, &r)
		all = append(all, made...)
		if i == 0 && d.has(Restores) && r.oneIn(3) {
			all = append(all, restore(made[0]))
		}
		if !d.sideBySide {
			at = made[len(made)-1].End.Add(r.between(0, min(time.Minute, d.period/50)))
		}
		if i == 0 && d.has(LongRuns) && n%12 == 4 {
			all[0].End, all[0].Status = all[0].Start.Add(d.period+r.between(d.period/5, d.period/2)), Completed
			at = begin.Add(d.period / 20)
		}
		if i == 0 && d.has(Wedged) && wedged == 0 {
			all[0].End, all[0].Status = all[0].Start.Add(d.period*27), Aborted
			at = begin.Add(d.period / 20)
		}
	}
	if d.period == day && d.kind == server {
		all = append(all, f.retries(d, n, all, &r)...)
	}
	slices.SortStableFunc(all, func(a, b Session) int { return a.Start.Compare(b.Start) })
	for i := range all {
		s := &all[i]
		s.DeviceID, s.Device, s.ID = d.id, d.name, n*cycleIDs+int64(i)
		if !s.Restore {
			for _, e := range f.errors(d, s) {
				s.ErrorsCount += e.Count
			}
		}
	}
	return all
}

// retries are what an administrator has set up for nights that fail: what
// failed is tried again after two hours, twice at most.
func (f *fleet) retries(d *device, n int64, first []Session, r *dice) (more []Session) {
	for i, s := range d.sources {
		last := slices.IndexFunc(first, func(x Session) bool {
			return x.Source == s.code && !x.Restore && x.End.Sub(x.Start) < d.period && (x.Status == Failed || x.Status == Interrupted)
		})
		if last < 0 {
			continue
		}
		begin := first[last].End
		for range 2 {
			begin = begin.Add(2*time.Hour + r.between(0, time.Minute))
			again := f.session(d, i, n, begin, time.Hour, r)
			if r.oneIn(2) {
				again.Status = Failed
			}
			more = append(more, again)
			if again.Status != Failed {
				break
			}
			begin = again.End
		}
	}
	return more
}

// newestFirst goes back through the device's sessions that had started by
// now, in the state in which they will have ended.
func (f *fleet) newestFirst(d *device, now time.Time) iter.Seq[Session] {
	return func(yield func(Session) bool) {
		oldest := d.cycleAt(f.first) - 1
		for n := d.cycleAt(now); n >= oldest; n-- {
			for _, s := range slices.Backward(f.cycle(d, n)) {
				if !s.Start.After(now) && !yield(s) {
					return
				}
			}
		}
	}
}

// restore is somebody getting back files just saved.
func restore(of Session) Session {
	of.Restore, of.Status, of.ErrorsCount = true, Completed, 0
	of.Start = of.End.Add(-of.End.Sub(of.Start) / 2).Truncate(time.Second)
	of.SelectedCount, of.SelectedBytes = of.SelectedCount/1000+1, of.SelectedBytes/1000+1
	of.ProcessedCount, of.ProcessedBytes, of.SentBytes = of.SelectedCount, of.SelectedBytes, 0
	return of
}
