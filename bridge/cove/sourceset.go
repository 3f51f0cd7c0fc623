package cove

import (
	"iter"
	"math/bits"
	"sync"
)

// sourceSet is a set of data sources: those of a device, which the reading of its
// history needs.
type sourceSet struct {
	bits [2]uint64 // of the data sources, 0 to 99
}

// add adds a data source; 0 is none.
func (p *sourceSet) add(s source) {
	if s > 0 && s < 100 {
		p.set(s)
	}
}

func (p *sourceSet) set(s source) { p.bits[s/64] |= 1 << (s % 64) }

func (p sourceSet) has(s source) bool { return s > 0 && s < 100 && p.bits[s/64]&(1<<(s%64)) != 0 }

// all gives the data sources in their order.
func (p sourceSet) all() iter.Seq[source] {
	return func(yield func(source) bool) {
		for i, word := range p.bits {
			for ; word != 0; word &= word - 1 {
				if !yield(source(64*i + bits.TrailingZeros64(word))) {
					return
				}
			}
		}
	}
}

// deviceSources remembers each device's, as statistics last told.
type deviceSources struct {
	mu       sync.Mutex
	byDevice map[int64]sourceSet
}

func (p *deviceSources) store(id int64, sources sourceSet) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.byDevice == nil {
		p.byDevice = map[int64]sourceSet{}
	}
	p.byDevice[id] = sources
}

// get gives a device's; an empty one where statistics did not tell of it yet.
func (p *deviceSources) get(id int64) sourceSet {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.byDevice[id]
}
