package collect

// Progress is how far a poll or a backfill of an account is.
type Progress struct {
	Account string
	Done    int64 // devices that are done with
	Total   int64 // devices in all, as far as that is known by now
	Runs    int64 // runs queued so far
}

// watch gives what a listing tells its number of devices to; nil: nobody looks on.
func (p *poll) watch() func(total int64) {
	if p.Watch == nil {
		return nil
	}
	return func(total int64) { p.tell(func(s *Progress) { s.Total = total }) }
}

// sighted counts a device that is done with, of those that the product shows.
func (p *poll) sighted() {
	if p.Watch != nil {
		p.tell(func(s *Progress) { s.Done++ })
	}
}

func (p *poll) tell(change func(*Progress)) {
	p.mu.Lock()
	change(&p.shown)
	p.shown.Account, p.shown.Runs = p.src.Name(), p.sum.Queued
	now := p.shown
	p.mu.Unlock()
	p.Watch(now)
}
