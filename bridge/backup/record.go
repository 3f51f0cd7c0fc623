package backup

import "time"

// Record is a device as the ledger holds it.
type Record struct {
	Account     string // the configured login that it is seen through
	Fingerprint uint64 // of the statistics that were last worked on; see Row
	Version     int64  // counts the commits; 0: the ledger does not know the device
	Journal     Journal
}

// Step is what one look at a device came to: all of it is committed in one
// transaction, or nothing.
type Step struct {
	Key     string    // Device.Key
	Record  Record    // as it is from now on; Version is the one that was loaded
	Due     time.Time // when to look again whether or not anything changes; zero: never
	Entries []Entry   // new in the outbox, in the order of the runs' ends; State is queued (with Mail), filtered, baseline or failed
}
