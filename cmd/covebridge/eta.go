package main

import "time"

// etaEstimator tells how long something still takes from how fast it went lately: the
// first seconds, which open connections and log in, soon count no more.
type etaEstimator struct{ samples []sample }

type sample struct {
	at   time.Time
	done int64
}

const (
	etaWindow  = 30 * time.Second // what counts
	minElapsed = 2 * time.Second  // before that nothing can be said
)

// add notes how much is done by now.
func (p *etaEstimator) add(now time.Time, done int64) {
	if n := len(p.samples); n > 0 && (done < p.samples[n-1].done) {
		p.samples = nil // it began anew
	}
	p.samples = append(p.samples, sample{now, done})
	for len(p.samples) > 2 && now.Sub(p.samples[1].at) >= etaWindow {
		p.samples = p.samples[1:]
	}
}

// remaining is how long the rest takes; 0: that can't be told.
func (p *etaEstimator) remaining(total int64) time.Duration {
	if len(p.samples) == 0 {
		return 0
	}
	first, last := p.samples[0], p.samples[len(p.samples)-1]
	took, done := last.at.Sub(first.at), last.done-first.done
	if took < minElapsed || done <= 0 || total <= last.done {
		return 0
	}
	return time.Duration(float64(took) / float64(done) * float64(total-last.done))
}

// approximately writes a duration as one would say it.
func approximately(d time.Duration) string {
	switch {
	case d < time.Minute:
		return plural(int64(d.Seconds())+1, "second", "seconds")
	case d < 90*time.Minute:
		return plural(int64(d.Minutes()+0.5), "minute", "minutes")
	}
	return plural(int64(d.Hours()+0.5), "hour", "hours")
}
