// Package covesim is a Cove to run against: for the demo, tests, load, and
// faults on demand. It answers in the shapes of the Cove API document, with
// all the oddities seen there spread over a believable fleet.
//
// What the fleet did is a function of the seed and the time alone: nothing is
// stored but the list of devices, and the sessions of a device are worked out
// when somebody asks. So the same seed tells the same story every time, and
// 50,000 devices with weeks of history cost no more than their names.
package covesim

import (
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Options says what to simulate. The zero value is a fleet of 40 devices, as
// it is now, on a clock that stands still.
type Options struct {
	Seed    uint64
	Devices int           // how many; default 40
	Start   time.Time     // first reading of the clock; default: now
	Speed   float64       // simulated seconds in a real one; 0: only Advance moves the clock
	History time.Duration // how far back before Start sessions are kept; default 30 days (choose less with a short Every)

	// Every makes each device back up this often, with sessions short enough
	// for it; 0: believable schedules (daily, every 4 hours, …).
	Every time.Duration
	// VisaLife is how long a visa is good, on the simulator's clock; default 15 min.
	VisaLife time.Duration

	Username, Password string // default api-user and covesim
	Partner            string // the login's customer; when set, Login refuses another one

	Without    Quirk // oddities left out; AllQuirks makes a plain fleet
	HugeNames  bool  // some devices have names of 10 kB
	NoRecovery bool  // recovery testing was not bought: it answers 400
}

// Sim is a simulated Cove. It is an http.Handler for /jsonapi,
// /reporting_api, /repserv_json, /node/HOST/repserv_json, recovery tests under
// /draas/… and, to steer it, /sim/…. All methods may be called at the same time.
type Sim struct {
	options Options
	clock   clock
	login   loginGuard
	faults  faults
	calls   callCount
	mux     *http.ServeMux

	world sync.RWMutex // guards fleet, for customers are renamed and devices moved
	fleet *fleet

	visas  atomic.Uint64 // generation of visas that is good
	errors atomic.Uint64 // errors told, for ErrorNumbers
}

// New makes a simulator whose clock begins to run now.
func New(o Options) *Sim {
	if o.Devices == 0 {
		o.Devices = 40
	}
	if o.Start.IsZero() {
		o.Start = time.Now()
	}
	o.Start = o.Start.UTC()
	if o.History == 0 {
		o.History = 30 * 24 * time.Hour
	}
	if o.VisaLife == 0 {
		o.VisaLife = 15 * time.Minute
	}
	if o.Username == "" {
		o.Username = "api-user"
	}
	if o.Password == "" {
		o.Password = "covesim"
	}
	s := &Sim{options: o, fleet: newFleet(o)}
	s.clock.start(o.Start, o.Speed)
	s.faults.dice = throw(o.Seed, 1)
	s.mux = http.NewServeMux()
	s.mux.HandleFunc("POST /jsonapi", s.serve(s.console))
	s.mux.HandleFunc("POST /reporting_api", s.serve(s.reporting))
	s.mux.HandleFunc("POST /repserv_json", s.serve(s.node))
	s.mux.HandleFunc("POST /node/{host}/repserv_json", s.serve(s.node))
	s.mux.HandleFunc("GET /draas/actual-statistics/v1/dashboard/", s.dashboard)
	s.control(s.mux)
	return s
}

// ServeHTTP answers as Cove does; each reply's Date is the simulator's clock.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Date", s.Now().Format(http.TimeFormat))
	s.mux.ServeHTTP(w, r)
}
