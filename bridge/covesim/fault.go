package covesim

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// FaultKind is what goes wrong.
type FaultKind string

// The faults there are.
const (
	VisaExpired FaultKind = "visa"        // error 1701, though the visa is good
	Denied      FaultKind = "denied"      // error 13501; with Columns, only where one of them is asked for
	Locked      FaultKind = "locked"      // Login answers 2100
	Throttled   FaultKind = "throttled"   // HTTP 429 with Retry-After: Delay
	Broken      FaultKind = "broken"      // HTTP 500
	Slow        FaultKind = "slow"        // the reply comes after Delay
	CutOff      FaultKind = "cut"         // the connection ends in the middle of the reply
	Garbled     FaultKind = "garbled"     // JSON with an error in the middle
	HTML        FaultKind = "html"        // a web page with status 200
	Huge        FaultKind = "huge"        // Size bytes of nothing before the reply
	Unreachable FaultKind = "unreachable" // the connection is closed without a word
)

// Fault is something that goes wrong on demand. The filters that are set must
// all hold for a call to be hit.
type Fault struct {
	Kind FaultKind

	Method  string   // only this method
	Device  int64    // only node and Microsoft 365 calls about this device (its id)
	Host    string   // only node calls about devices at home there
	Columns []string // only EnumerateAccountStatistics with one of these, in any spelling

	Count       int           // ends after so many hits; 0: lasts until ClearFaults
	Probability float64       // of hitting a call, 0 to 1; 0: every call
	Delay       time.Duration // real time, for Slow and Throttled; default 1 s
	Size        int64         // bytes, for Huge; default 64 MiB
}

// faults are those in force, in the order in which they were made.
type faults struct {
	mu   sync.Mutex
	list []*Fault
	dice dice
}

// Fault makes something go wrong from now on. Of several faults that hit a
// call, the first one made is the one that happens.
func (s *Sim) Fault(f Fault) {
	if f.Delay == 0 {
		f.Delay = time.Second
	}
	if f.Size == 0 {
		f.Size = 64 << 20
	}
	f.Columns = canonical(f.Columns)
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.list = append(s.faults.list, &f)
}

// ClearFaults ends all faults, and unlocks the login.
func (s *Sim) ClearFaults() {
	s.faults.mu.Lock()
	s.faults.list = nil
	s.faults.mu.Unlock()
	s.login.mu.Lock()
	s.login.bad, s.login.locked = 0, time.Time{}
	s.login.mu.Unlock()
}

// traits is what faults may go by.
type traits struct {
	method  string
	device  int64
	host    string
	columns []string
}

// traits reads from a call what faults may go by.
func (s *Sim) traits(r *http.Request, c *call) traits {
	t := traits{method: c.Method}
	p, err := params[struct {
		AccountID    int64
		AccountToken string
		Query        any // statistics have an object here, nodes a text
	}](c)
	if err != nil {
		return t
	}
	if query, ok := p.Query.(map[string]any); ok {
		asked, _ := query["Columns"].([]any)
		for _, column := range asked {
			if text, ok := column.(string); ok {
				t.columns = append(t.columns, text)
			}
		}
		t.columns = canonical(t.columns)
	}
	d := s.fleet.byID[p.AccountID]
	if d == nil {
		d = s.fleet.byToken[p.AccountToken]
	}
	if d == nil || r.URL.Path == "/jsonapi" {
		return t
	}
	t.device = d.id
	if r.URL.Path != "/reporting_api" {
		t.host = d.host
	}
	return t
}

// hits tells whether the fault concerns a call.
func (f *Fault) hits(t traits) bool {
	if f.Kind == Locked && t.method != "Login" || f.Kind == VisaExpired && t.method == "Login" {
		return false
	}
	return (f.Method == "" || f.Method == t.method) &&
		(f.Device == 0 || f.Device == t.device) &&
		(f.Host == "" || strings.EqualFold(f.Host, t.host)) &&
		(f.Columns == nil || slices.ContainsFunc(f.Columns, func(c string) bool { return slices.Contains(t.columns, c) }))
}

// next gives the fault that a call runs into, or one without a kind.
func (l *faults) next(t traits) Fault {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, f := range l.list {
		if !f.hits(t) || f.Probability > 0 && float64(l.dice.below(1e6))/1e6 >= f.Probability {
			continue
		}
		hit := *f
		if f.Count == 1 {
			l.list = slices.Delete(l.list, i, i+1)
		} else if f.Count > 1 {
			f.Count--
		}
		return hit
	}
	return Fault{}
}
