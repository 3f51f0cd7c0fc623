package ledger

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"covebridge/bridge/backup"
)

// model is the outbox as the rules tell it.
type model struct {
	now     time.Time
	turn    int
	waiting []*modelEntry
	flight  []*modelEntry
}

type modelEntry struct {
	id, device         string
	end, next, created time.Time
	status             backup.Status
	attempts           int
	begun              bool // and its outcome is not known
	now                bool // it was begun since it was taken
	mine               bool // it was committed, or begun, in this life
}

func (m *model) ready(e *modelEntry) bool {
	return e.begun || !e.next.After(m.now) || e.next.After(m.now.Add(MaxBackoff))
}

// line is a device's queue.
type line struct {
	head    *modelEntry
	waiting []*modelEntry
	worst   backup.Status
}

// lines gives the queues of the devices of which nothing is in flight.
func (m *model) lines() map[string]*line {
	lines := map[string]*line{}
	for _, e := range m.waiting {
		if lines[e.device] == nil {
			lines[e.device] = &line{}
		}
		l := lines[e.device]
		l.waiting = append(l.waiting, e)
		l.worst = max(l.worst, e.status)
	}
	for _, e := range m.flight {
		delete(lines, e.device)
	}
	for device, l := range lines {
		slices.SortFunc(l.waiting, older)
		for _, e := range l.waiting {
			if m.ready(e) {
				l.head = e
				break
			}
			if e.attempts == 0 || m.now.Before(e.created.Add(MaxHold)) {
				break
			}
		}
		if l.head == nil {
			delete(lines, device)
		}
	}
	return lines
}

func older(a, b *modelEntry) int { return cmp.Or(a.end.Compare(b.end), cmp.Compare(a.id, b.id)) }

// check tells what is wrong with what Take answered to n, and takes it.
//
// The ledger knows a device's head from when the device last changed: where a
// later one became ready since, either may be taken. What counts is that it is
// ready, that nothing holds it back, and which devices are served.
func (m *model) check(n int, taken []backup.Entry) error {
	lines := m.lines()
	if want := min(n, len(lines)); len(taken) != want {
		return fmt.Errorf("took %d, want %d", len(taken), want)
	}
	oldest := min(oldestShare(m.turn, n), len(taken))
	m.turn = (m.turn + len(taken)) % 4
	for i, e := range taken {
		l := lines[e.Run.Device.Key()]
		if l == nil {
			return fmt.Errorf("%s: nothing of its device is to be taken", e.Run.ID)
		}
		var it *modelEntry
		for _, w := range l.waiting {
			if w.id == e.Run.ID {
				it = w
				break
			}
			if !m.ready(w) && (w.attempts == 0 || m.now.Before(w.created.Add(MaxHold))) {
				return fmt.Errorf("%s overtook %s", e.Run.ID, w.id)
			}
		}
		if it == nil || !m.ready(it) {
			return fmt.Errorf("%s is not to be taken", e.Run.ID)
		}
		if want := it.begun || !it.mine; e.Doubt != want {
			return fmt.Errorf("%s: doubt %v, want %v", it.id, e.Doubt, want)
		}
		for device, other := range lines {
			if n-oldest > i && other.worst > l.worst {
				return fmt.Errorf("%s was taken before the worse %s", it.id, device)
			}
		}
		delete(lines, it.device)
		m.waiting = slices.DeleteFunc(m.waiting, func(w *modelEntry) bool { return w == it })
		m.flight = append(m.flight, it)
		it.now = false
	}
	return nil
}
