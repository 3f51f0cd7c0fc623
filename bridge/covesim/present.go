package covesim

import "time"

// present is what statistics tell of a data source, or of the total.
type present struct {
	last    *Session // newest, as it stands now; nil: there is none
	done    *Session // newest that completed
	before  *Session // the one that completed before
	success *Session // newest that ended well
}

// presents gives the present of each of the device's data sources.
func (f *fleet) presents(d *device, now time.Time) map[string]*present {
	all := map[string]*present{}
	for _, s := range d.sources {
		all[s.code] = &present{}
	}
	missing := len(all)
	for s := range f.newestFirst(d, now) {
		p := all[s.Source]
		if s.Restore || p.complete() {
			continue
		}
		p.add(s, now)
		if p.complete() {
			if missing--; missing == 0 {
				break
			}
		}
	}
	all[total.code] = sum(all)
	return all
}

// add takes the next older session.
func (p *present) add(s Session, now time.Time) {
	s = s.at(now)
	if p.last == nil {
		p.last = &s
	}
	if s.End.IsZero() || s.Status == Restarted {
		return
	}
	if p.done == nil {
		p.done = &s
	} else if p.before == nil {
		p.before = &s
	}
	if p.success == nil && (s.Status == Completed || s.Status == CompletedWithErrors) {
		p.success = &s
	}
}

func (p *present) complete() bool { return p.before != nil && p.success != nil }

// sum makes the total of all data sources: their newest, with counts added up.
func sum(all map[string]*present) *present {
	t := &present{}
	var counts Session
	for _, p := range all {
		t.last = later(t.last, p.last)
		t.done = later(t.done, p.done)
		t.success = later(t.success, p.success)
		if p.done == nil {
			continue
		}
		counts.SelectedCount += p.done.SelectedCount
		counts.SelectedBytes += p.done.SelectedBytes
		counts.ProcessedCount += p.done.ProcessedCount
		counts.ProcessedBytes += p.done.ProcessedBytes
		counts.SentBytes += p.done.SentBytes
		counts.ErrorsCount += p.done.ErrorsCount
	}
	if t.done != nil {
		counts.Status, counts.Start, counts.End = t.done.Status, t.done.Start, t.done.End
		t.done = &counts
	}
	return t
}

// later gives the session that ended later; one that runs is the latest.
func later(a, b *Session) *Session {
	switch {
	case a == nil:
		return b
	case b == nil, a.End.IsZero():
		return a
	case b.End.IsZero(), b.End.After(a.End), b.End.Equal(a.End) && b.Source < a.Source:
		return b
	}
	return a
}
