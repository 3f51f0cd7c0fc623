package collect

// Progress is how far a poll or a backfill of an account is.
type Progress struct {
	Account string
	Done    int64 // devices that are done with
	Total   int64 // devices in all, as far as that is known by now
	Runs    int64 // runs queued so far
}

// totalReporter gives what a listing tells its number of devices to; nil: nobody looks on.
func (p *poll) totalReporter() func(total int64) {
	if p.OnProgress == nil {
		return nil
	}
	return func(total int64) { p.report(func(s *Progress) { s.Total = total }) }
}

// countDone counts a device that is done with, of those that the product shows.
func (p *poll) countDone() {
	if p.OnProgress != nil {
		p.report(func(s *Progress) { s.Done++ })
	}
}

func (p *poll) report(change func(*Progress)) {
	p.mu.Lock()
	change(&p.position)
	p.position.Account, p.position.Runs = p.src.Name(), p.result.Queued
	now := p.position
	p.mu.Unlock()
	p.OnProgress(now)
}
