package covesim

import (
	"encoding/json"
	"net/http"
)

// methods of /jsonapi beside Login. They are called with the world at rest.
var methods = map[string]func(*Sim, *call) (any, error){
	"EnumerateAccountStatistics":            (*Sim).statistics,
	"EnumerateColumns":                      (*Sim).columns,
	"GetAccountInfoById":                    (*Sim).accountInfo,
	"EnumerateAccountRemoteAccessEndpoints": (*Sim).endpoints,
	"GetPartnerInfo":                        (*Sim).partnerInfo,
	"EnumeratePartners":                     (*Sim).partners,
	"EnumerateChildPartners":                (*Sim).childPartners,
	// Many API users may not call it.
	"EnumerateAccounts": func(*Sim, *call) (any, error) { return nil, errDenied },
}

// console answers at /jsonapi.
func (s *Sim) console(_ *http.Request, c *call) (any, error) {
	if c.Method == "Login" {
		return s.logIn(c)
	}
	var misplaced struct{ Visa json.RawMessage }
	if json.Unmarshal(c.Params, &misplaced) == nil && misplaced.Visa != nil {
		return nil, errVisa
	}
	if err := s.checkVisa(c, c.Visa); err != nil {
		return nil, err
	}
	method, ok := methods[c.Method]
	if !ok {
		return nil, errNotFound
	}
	s.world.RLock()
	defer s.world.RUnlock()
	return method(s, c)
}
