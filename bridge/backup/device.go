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
	Created      time.Time `json:"created,omitzero"`        // when it was set up; zero: not known
	UsedStorage  int64     `json:"used_storage"`            // bytes in the cloud, or Unknown
	ColourBar    []Day     `json:"colour_bar,omitempty"`    // the last 28 days, oldest first, today last
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

// Snapshot is what a product shows of a device at one moment.
type Snapshot struct {
	Device Device
	// Sessions holds the newest session of each data source, and while one
	// runs, also the one before, where the product still tells of it.
	Sessions []Session
	// Fingerprint changes whenever anything that tells of sessions changes.
	Fingerprint string
	// At is the product's own clock before it was asked: every session that
	// had started by then is in what was read after.
	At time.Time
}

// Selection says which devices a product is asked for.
type Selection struct {
	// Since limits it to those that changed within this time; 0: all.
	Since time.Duration
	// IDs are devices wanted whether or not they changed.
	IDs []string
	// From and Count limit it to a range of the product's list of devices, whose
	// order lasts: Count of them, after the first From. Count 0: the whole list.
	// They go without Since.
	From, Count int64
}
