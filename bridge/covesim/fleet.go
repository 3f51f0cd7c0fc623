package covesim

import (
	"fmt"
	"time"
)

// fleet is who has what: the customers and their devices. It does not change
// with the clock.
type fleet struct {
	options   Options
	first     time.Time // kept sessions start here
	customers []*customer
	devices   []*device // in the order of their ids
	byID      map[int64]*device
	byToken   map[string]*device
}

type kind int

// The values are those of the column OT.
const (
	tenant kind = iota
	workstation
	server
)

// device is what Cove calls an account: a server, a workstation or a tenant.
type device struct {
	index    int
	id       int64
	kind     kind
	name     string
	alias    string
	computer string
	os       string
	client   string
	token    string
	host     string // of its home node
	customer *customer
	created  time.Time
	zone     int // hours ahead of UTC
	sources  []source
	bytes    []int64 // usual size of each source
	quirks   Quirk

	period     time.Duration // between two backups
	phase      time.Duration // of the schedule within the period
	sideBySide bool          // data sources run at the same time
	trouble    int64         // percent of its sessions that go wrong
}

const day = 24 * time.Hour

func newFleet(o Options) *fleet {
	f := &fleet{
		options: o, first: o.Start.Add(-o.History),
		byID: map[int64]*device{}, byToken: map[string]*device{},
	}
	f.addCustomers()
	homes := f.homes()
	for i := range o.Devices {
		d, r := f.newDevice(i), throw(o.Seed, 3, uint64(i))
		d.customer = homes[(i/5+int(r.below(3)))%len(homes)] // neighbours, mostly
		f.devices = append(f.devices, d)
		f.byID[d.id], f.byToken[d.token] = d, d
	}
	return f
}

func (f *fleet) newDevice(i int) *device {
	r := throw(f.options.Seed, 4, uint64(i))
	d := &device{
		index: i, id: 1_100_000 + int64(i)*17 + r.below(17), kind: kindAt(i), quirks: f.options.quirks(i),
		token: fmt.Sprintf("%016x%016x", r.next(), r.next()), host: pick(&r, nodes),
		client: pick(&r, clients), zone: int(r.below(3)), trouble: pick(&r, []int64{2, 3, 5, 8, 40}),
		created: f.first.Add(-r.between(30*day, 800*day)), sideBySide: r.oneIn(2),
	}
	if i%20 == 19 { // a node of one's own
		d.host = fmt.Sprintf("backup.customer%d.example", i/20)
	}
	f.equip(d, &r)
	d.schedule(f.options.Every, &r)
	return d
}

// kindAt spreads the kinds so that small fleets have all of them, and what
// befalls devices (see places) befalls the kinds where it matters.
func kindAt(i int) kind {
	switch i % 20 {
	case 4, 9, 14:
		return tenant
	case 13:
		return kind(i / 20 % 2 * int(server)) // long runs: tenants and servers in turn
	case 1, 6, 12, 17, 19:
		return workstation
	}
	return server
}

// equip gives the device its names, system and data sources.
func (f *fleet) equip(d *device, r *dice) {
	switch d.kind {
	case tenant:
		d.name = pick(r, tenantNames) + r.text(4) + ".onmicrosoft.com"
		d.computer = "m365-" + r.text(6)
		d.sources = []source{mailboxes, oneDrive, sharePoint, teams}[:2+r.below(3)]
	case workstation:
		d.computer, d.os = pick(r, workstationNames), pick(r, workstationSystems)
		d.sources = []source{files, systemState}[:1+r.below(2)]
	case server:
		d.computer, d.os = pick(r, serverNames), pick(r, serverSystems)
		d.sources = append([]source{files, systemState}, pick(r, [][]source{
			{}, {}, {sql}, {shares}, {exchange}, {hyperV}, {vmware}, {sql, hyperV}, {oracle}})...)
		if r.oneIn(6) {
			d.os, d.sources = pick(r, linuxSystems), []source{files, linuxState, mySQL}
		}
	}
	if d.has(UnknownSource) {
		d.sources = append(d.sources[:len(d.sources):len(d.sources)], futureSource)
	}
	if d.kind != tenant {
		d.name = d.computer + "_" + r.text(5)
	}
	if d.has(Hostile) {
		d.computer = hostile(d.index/4, f.options.HugeNames)
		d.name = d.computer + "_" + r.text(5)
	}
	if r.oneIn(3) {
		d.alias = "Rack " + r.text(2)
	}
	for _, s := range d.sources {
		d.bytes = append(d.bytes, s.bytes/100*(10+r.below(150)))
	}
}
