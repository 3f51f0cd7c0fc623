package covesim

import (
	"sync"
	"time"
)

const (
	loginsAtOnce = 3                     // more than this answer 14409
	loginTakes   = 10 * time.Millisecond // of real time, so that logins can meet
	badLogins    = 5                     // in a row lock the user out
	lockedFor    = 15 * time.Minute      // on the simulator's clock
)

// loginGuard keeps watch over the one user there is.
type loginGuard struct {
	mu     sync.Mutex
	active int
	bad    int
	locked time.Time // until then
}

type credentials struct{ Partner, Username, Password string }

// logIn answers Login.
func (s *Sim) logIn(c *call) (any, error) {
	p, err := params[credentials](c)
	if err != nil {
		return nil, err
	}
	g := &s.login
	g.mu.Lock()
	g.active++
	crowded := g.active > loginsAtOnce
	g.mu.Unlock()
	time.Sleep(loginTakes)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.active--
	if crowded {
		return nil, errTooMany
	}
	if c.now.Before(g.locked) {
		return nil, errLocked
	}
	if !s.hasPassword(p) {
		if g.bad++; g.bad >= badLogins {
			g.bad, g.locked = 0, c.now.Add(lockedFor)
		}
		return nil, errLogin
	}
	g.bad = 0
	c.fresh = s.issue(c.now)
	return inner(object{
		"Id": 50121, "PartnerId": rootID, "Name": p.Username, "FullName": p.Username,
		"Flags": []string{"SecurityOfficer", "NonInteractive"},
	}), nil
}

// hasPassword checks who logs in. The partner may be left out.
func (s *Sim) hasPassword(p credentials) bool {
	o := s.options
	return p.Username == o.Username && p.Password == o.Password &&
		(p.Partner == "" || o.Partner == "" || p.Partner == o.Partner)
}
