package covesim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// control adds what steers the simulator over HTTP:
//
//	GET  /sim/truth?since=RFC3339&until=RFC3339   sessions, as Truth or Ended
//	GET  /sim/devices                             the fleet
//	POST /sim/advance?by=24h                      moves the clock
//	POST /sim/fault?kind=slow&method=Login&device=ID&host=HOST&columns=I0,I1&count=1&probability=0.5&delay=3s&size=1000
//	POST /sim/clear                               ends all faults
//	POST /sim/expire                              makes all visas worthless
//	POST /sim/rename?customer=ID&name=NAME        renames a customer
//	POST /sim/move?device=ID&customer=ID          moves a device to another customer
func (s *Sim) control(mux *http.ServeMux) {
	handle := func(pattern string, do func(url.Values) (any, error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			result, err := do(r.URL.Query())
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			json.NewEncoder(w).Encode(result)
		})
	}
	handle("GET /sim/truth", s.controlTruth)
	handle("GET /sim/devices", func(url.Values) (any, error) { return s.Devices(), nil })
	handle("POST /sim/advance", func(q url.Values) (any, error) {
		by, err := time.ParseDuration(q.Get("by"))
		s.Advance(by)
		return s.Now(), err
	})
	handle("POST /sim/fault", func(q url.Values) (any, error) {
		f, err := readFault(q)
		if err == nil {
			s.Fault(f)
		}
		return f, err
	})
	handle("POST /sim/clear", func(url.Values) (any, error) { s.ClearFaults(); return "cleared", nil })
	handle("POST /sim/expire", func(url.Values) (any, error) { s.ExpireVisas(); return "expired", nil })
	handle("POST /sim/rename", func(q url.Values) (any, error) {
		id, _ := strconv.ParseInt(q.Get("customer"), 10, 64)
		return "renamed", s.RenameCustomer(id, q.Get("name"))
	})
	handle("POST /sim/move", func(q url.Values) (any, error) {
		device, _ := strconv.ParseInt(q.Get("device"), 10, 64)
		customer, _ := strconv.ParseInt(q.Get("customer"), 10, 64)
		return "moved", s.MoveDevice(device, customer)
	})
}

func (s *Sim) controlTruth(q url.Values) (any, error) {
	if !q.Has("since") && !q.Has("until") {
		return s.Truth(), nil
	}
	since, until := s.fleet.first, s.Now()
	for name, t := range map[string]*time.Time{"since": &since, "until": &until} {
		if text := q.Get(name); text != "" {
			var err error
			if *t, err = time.Parse(time.RFC3339, text); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return s.Ended(since, until), nil
}

// kinds are the faults that can be asked for by name.
var kinds = map[FaultKind]bool{
	VisaExpired: true, Denied: true, Locked: true, Throttled: true, Broken: true, Slow: true,
	CutOff: true, Garbled: true, HTML: true, Huge: true, Unreachable: true,
}

// readFault reads a fault from a query; what is left out has its zero value.
func readFault(q url.Values) (f Fault, err error) {
	f.Kind, f.Method, f.Host = FaultKind(q.Get("kind")), q.Get("method"), q.Get("host")
	if !kinds[f.Kind] {
		return f, fmt.Errorf("there is no fault %q", f.Kind)
	}
	if columns := q.Get("columns"); columns != "" {
		f.Columns = strings.Split(columns, ",")
	}
	read := func(name string, into func(text string) error) {
		if text := q.Get(name); text != "" && err == nil {
			if e := into(text); e != nil {
				err = fmt.Errorf("%s: %w", name, e)
			}
		}
	}
	read("device", func(t string) (e error) { f.Device, e = strconv.ParseInt(t, 10, 64); return e })
	read("count", func(t string) (e error) { f.Count, e = strconv.Atoi(t); return e })
	read("probability", func(t string) (e error) { f.Probability, e = strconv.ParseFloat(t, 64); return e })
	read("delay", func(t string) (e error) { f.Delay, e = time.ParseDuration(t); return e })
	read("size", func(t string) (e error) { f.Size, e = strconv.ParseInt(t, 10, 64); return e })
	return f, err
}

// RenameCustomer gives a customer another name; its id stays.
func (s *Sim) RenameCustomer(id int64, name string) error {
	s.world.Lock()
	defer s.world.Unlock()
	c := s.fleet.find(id)
	if c == nil {
		return fmt.Errorf("there is no customer %d", id)
	}
	c.name = name
	return nil
}

// MoveDevice hangs a device on another customer; its id, name and history stay.
func (s *Sim) MoveDevice(id, customer int64) error {
	s.world.Lock()
	defer s.world.Unlock()
	d, c := s.fleet.byID[id], s.fleet.find(customer)
	if d == nil || c == nil {
		return fmt.Errorf("there is no device %d or no customer %d", id, customer)
	}
	d.customer = c
	return nil
}
