package covesim

import (
	"slices"
	"time"
)

// Truth gives every backup session that had started by now, as far as it is
// kept (see Options.History), by device and start: what the bridge's mails are
// to be compared with. Restores are not among them.
func (s *Sim) Truth() []Session {
	return s.truth(func(Session) bool { return true })
}

// Ended gives the sessions of Truth that ended after since and not after
// until. Restarted ones (12) are among them.
func (s *Sim) Ended(since, until time.Time) []Session {
	return s.truth(func(x Session) bool {
		return !x.End.IsZero() && x.End.After(since) && !x.End.After(until)
	})
}

func (s *Sim) truth(wanted func(Session) bool) (all []Session) {
	now := s.Now()
	for _, d := range s.fleet.devices {
		from := len(all)
		for x := range s.fleet.newestFirst(d, now) {
			if x = x.at(now); x.Restore || !wanted(x) {
				continue
			}
			if !x.End.IsZero() {
				x.Errors = s.fleet.errors(d, &x)
			}
			all = append(all, x)
		}
		slices.Reverse(all[from:])
	}
	return all
}

// Device is who the truth is about.
type Device struct {
	ID         int64    `json:"id"`
	Name       string   `json:"name"`
	Computer   string   `json:"computer"`
	Type       string   `json:"type"` // Server, Workstation or Microsoft 365
	Customer   string   `json:"customer"`
	CustomerID int64    `json:"customer_id"`
	Host       string   `json:"host"`    // its home node
	Token      string   `json:"token"`   // its secret
	Sources    []string `json:"sources"` // codes of data sources
	Quirks     Quirk    `json:"quirks"`
}

// Devices gives the fleet, in the order of the ids.
func (s *Sim) Devices() (all []Device) {
	s.world.RLock()
	defer s.world.RUnlock()
	types := map[kind]string{tenant: "Microsoft 365", workstation: "Workstation", server: "Server"}
	for _, d := range s.fleet.devices {
		t := Device{
			ID: d.id, Name: d.name, Computer: d.computer, Type: types[d.kind], Customer: d.customer.name,
			CustomerID: d.customer.id, Host: d.host, Token: d.token, Quirks: d.quirks,
		}
		for _, source := range d.sources {
			t.Sources = append(t.Sources, source.code)
		}
		all = append(all, t)
	}
	return all
}
