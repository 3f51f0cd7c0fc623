// Package backup holds what every backup product has in common: devices,
// their data sources, sessions and runs, and the rules on them. It does no
// I/O; every rule depends on its arguments alone.
package backup

import "time"

// The types of a device, as Backupchecks shows them ("Backup type").
const (
	Server       = "Server"
	Workstation  = "Workstation"
	Microsoft365 = "Microsoft 365"
	// HeartbeatType is what the bridge's own heartbeats are filed under.
	HeartbeatType = "Heartbeat"
	// DigestType is what customers' digests are filed under.
	DigestType = "Digest"
)

// Unknown is the value of a count or a size that the product did not tell.
const Unknown int64 = -1

// Device is what is backed up: a server, a workstation, a Microsoft 365 tenant.
// All texts come from the product and are data of unknown length and content.
type Device struct {
	Product  string `json:"product"`  // short name of the product, first part of run identities: "cove"
	Software string `json:"software"` // the product's name in mails: "Cove Data Protection"

	ID           string    `json:"id"`                      // unique within the product and lasting
	Name         string    `json:"name"`                    // unique within the product and lasting: the job name
	Alias        string    `json:"alias,omitempty"`         // what its owner calls it
	Computer     string    `json:"computer,omitempty"`      // host name; repeats from customer to customer
	OS           string    `json:"os,omitempty"`            // operating system, as the product spells it
	Type         string    `json:"type"`                    // Server, Workstation or Microsoft365
	Customer     string    `json:"customer,omitempty"`      // name of the customer it belongs to now
	CustomerID   string    `json:"customer_id,omitempty"`   // lasting id of that customer
	CustomerPath []string  `json:"customer_path,omitempty"` // names from the top to the customer; empty where not known
	Reference    string    `json:"reference,omitempty"`     // what the customer's owner calls the customer, as a number in another system
	Profile      string    `json:"profile,omitempty"`       // name of the backup profile
	Location     string    `json:"location,omitempty"`      // where the cloud storage is
	Machine      string    `json:"machine,omitempty"`       // Physical or Virtual, as the product spells it
	Storage      Storage   `json:"storage,omitzero"`        // where the backups lie
	Console      string    `json:"console,omitempty"`       // URL of the device in the product's console
	Created      time.Time `json:"created,omitzero"`        // when it was set up; zero: not known
	UsedStorage  int64     `json:"used_storage"`            // bytes in the cloud, or Unknown
	ColourBar    []Day     `json:"colour_bar,omitempty"`    // the last 28 days, oldest first, today last
	// Good is the newest success of each data source by its key, as the product
	// tells it.
	Good map[string]time.Time `json:"good,omitempty"`
}

// Update gives the device as it is told of now. What is not told, as in a row whose
// columns are missing, stays as it was known; a type that was never told is a server's.
func (d Device) Update(now Device) Device {
	keep := func(told *string, known string) {
		if *told == "" {
			*told = known
		}
	}
	keep(&now.Name, d.Name)
	keep(&now.Type, d.Type)
	keep(&now.Type, Server)
	keep(&now.Alias, d.Alias)
	keep(&now.OS, d.OS)
	keep(&now.Reference, d.Reference)
	keep(&now.Profile, d.Profile)
	keep(&now.Location, d.Location)
	keep(&now.Machine, d.Machine)
	keep(&now.Console, d.Console)
	keep(&now.Customer, d.Customer)
	keep(&now.CustomerID, d.CustomerID)
	if now.Type != Microsoft365 { // a tenant's computer means nothing
		keep(&now.Computer, d.Computer)
	}
	if now.CustomerPath == nil && now.CustomerID == d.CustomerID {
		now.CustomerPath = d.CustomerPath
	}
	if now.Created.IsZero() {
		now.Created = d.Created
	}
	if now.UsedStorage == Unknown && d.ID != "" {
		now.UsedStorage = d.UsedStorage
	}
	if now.ColourBar == nil {
		now.ColourBar = d.ColourBar
	}
	if now.Good == nil {
		now.Good = d.Good
	}
	if now.Storage == (Storage{}) {
		now.Storage = d.Storage
	}
	return now
}

// Day is the outcome of one day in a device's colour bar.
type Day struct {
	Date   string `json:"date"`   // YYYY-MM-DD
	Word   string `json:"word"`   // the product's word, as "Completed"; empty: no session that day
	Status Status `json:"status"` // means nothing where Word is empty
}

// DataSource is one thing a device backs up: Files and folders, MS SQL, ….
type DataSource struct {
	Key  string `json:"key"`  // the product's lasting code: "D01"; an unknown one as it came
	Name string `json:"name"` // for people: "Files and folders"
}

// Snapshot is what a product's statistics show of a device at one moment.
//
// Device.Name and Device.Type are empty where they were not told, as in a row
// whose columns are missing; that changes nothing that is known already.
type Snapshot struct {
	Device Device
	// Sessions holds the newest session of each data source, and while one
	// runs, also the one before, where the product still tells of it. They have
	// no ID. Those that ended carry Told.
	Sessions []Session
}

// Row is a device as one reply shows it. It is valid only until the call that
// it was handed to returns.
type Row interface {
	// Key is the device's Device.Key. The bytes are reused for the next row.
	Key() []byte
	// Fingerprint changes whenever anything that tells of sessions changes. It
	// is never 0 but for a row that tells of nothing, as one without columns.
	Fingerprint() uint64
	// Snapshot takes the row apart. It costs far more than the other two.
	Snapshot() Snapshot
}

// Selection says which devices a product is asked for.
type Selection struct {
	// Since limits it to those that changed within this time, by the product's
	// own clock; 0: all.
	Since time.Duration
	// OnTotal, if not nil, is told how many devices there are to come, as soon as
	// that is known, and again where it changes.
	OnTotal func(total int64)
}
