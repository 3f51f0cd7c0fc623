package cove

import (
	"iter"
	"math/bits"
	"sync"
)

// profile is a set of data sources: those of a device, which the reading of its
// history needs.
type profile struct {
	bits [2]uint64 // of the data sources, 0 to 99
}

// add adds a data source; 0 is none.
func (p *profile) add(s source) {
	if s > 0 && s < 100 {
		p.set(s)
	}
}

func (p *profile) set(s source) { p.bits[s/64] |= 1 << (s % 64) }

func (p profile) has(s source) bool { return s > 0 && s < 100 && p.bits[s/64]&(1<<(s%64)) != 0 }

// all gives the data sources in their order.
func (p profile) all() iter.Seq[source] {
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

// profiles remembers each device's, as statistics last told.
type profiles struct {
	mu    sync.Mutex
	known map[int64]profile
}

func (p *profiles) store(id int64, told profile) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known == nil {
		p.known = map[int64]profile{}
	}
	p.known[id] = told
}

// of gives a device's; an empty one where statistics did not tell of it yet.
func (p *profiles) of(id int64) profile {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.known[id]
}
