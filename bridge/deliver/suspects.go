package deliver

import (
	"sync"
	"time"
)

const (
	suspectTTL = 2 * time.Hour // until a mail is forgotten that is tried no more: longer than any wait between two tries
	day        = 24 * time.Hour
	pruneAt    = 10_000 // suspects at which those to be forgotten are looked for
)

// suspects are the mails that may be bad, as far as this process has seen them.
type suspects struct {
	mu    sync.Mutex
	mails map[string]suspect
}

type suspect struct {
	strikes  int       // times it was refused
	first    time.Time // when it was refused first
	accepted uint64    // mails that the mailbox had taken by the last of them
	last     time.Time // and when that was
	counted  bool      // the mailbox took others between two of them
	givenUp  bool      // it was given up
}

// strike notes that a mail was refused when the mailbox had taken so many mails.
// It counts against the mail if others passed, beside it or since the last strike.
func (s *suspects) strike(id string, taken uint64, beside bool) (m suspect, counts bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m = s.mails[id]
	counts = beside || m.strikes > 0 && taken > m.accepted
	if m.strikes == 0 {
		m = suspect{first: time.Now()}
	}
	m.strikes++
	m.accepted, m.counted = taken, m.counted || counts
	s.put(id, m)
	return m, counts
}

// giveUp notes that a mail was given up.
func (s *suspects) giveUp(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(id, suspect{givenUp: true})
}

func (s *suspects) put(id string, m suspect) {
	if s.mails == nil {
		s.mails = map[string]suspect{}
	}
	m.last = time.Now()
	s.mails[id] = m
	if len(s.mails) >= pruneAt {
		s.tally()
	}
}

// clear takes back what was held against mails.
func (s *suspects) clear(ids ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		delete(s.mails, id)
	}
}

// get gives what is held against a mail; ok is false where that is nothing.
func (s *suspects) get(id string) (m suspect, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, ok = s.mails[id]
	return m, ok
}

// count gives how many mails are refused while others pass, and how many were
// given up within a day.
func (s *suspects) count() (refused, given int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tally()
}

func (s *suspects) tally() (refused, given int) {
	for id, m := range s.mails {
		age := time.Since(m.last)
		switch {
		case m.givenUp && age < day:
			given++
		case !m.givenUp && age < suspectTTL:
			if m.counted {
				refused++
			}
		default:
			delete(s.mails, id)
		}
	}
	return refused, given
}
