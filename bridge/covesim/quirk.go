package covesim

// Quirk is a set of oddities of Cove, as the Cove API document tells of them.
type Quirk uint64

// How replies are written; each holds for about a third of the devices.
const (
	OtherKeys        Quirk = 1 << iota // statistics: keys come back in another spelling
	BareNumbers                        // statistics: values are numbers instead of strings
	ListedValues                       // statistics: values are arrays of strings
	NullColumns                        // statistics: an absent column comes as null
	SourceSpelling                     // statistics: active data sources as D1D2 or D1,D2
	OtherTimeStamp                     // statistics: TS is when the device was seen, or moves once a day
	LastSessionEnd                     // statistics: F15 is F18 instead of the last session's start
	Skew                               // statistics: F18-F12 is up to a minute off the start in history
	OtherFields                        // nodes: BackupStartTime for StartTime, Plugin for PluginId
	PluginNumbers                      // nodes: data sources as numbers
	StatusNumbers                      // nodes: statuses as numbers
	TextNumbers                        // nodes: numbers as strings
	NullFields                         // nodes: null for what is 0
	PlainCompleted                     // nodes: Completed with errors counted, where statistics say 8
	Timeless                           // nodes: NotStarted without times; the error's time tells
	NoErrorsCount                      // errors counted as 0 where there are some
	PlainDescription                   // Microsoft 365: descriptions of errors as plain text

	shapes = 1<<iota - 1
)

// What befalls devices; each holds for one or two devices in twenty.
const (
	Hostile       Quirk = 1 << (iota + 32) // names with umlauts, Chinese, quotes, line breaks, markup
	NeverRan                               // no session ever; some of these have Settings null
	UnknownStatus                          // sessions end with a number that no table has
	UnknownSource                          // a data source that no table has
	Restarts                               // sessions end as Restarted (12) and begin anew, mostly
	LongRuns                               // one data source runs longer than the schedule allows
	Wedged                                 // a session stays InProcess for weeks, then ends Aborted
	Silent                                 // servers back up nothing for eight days, from 36 h before Start
	Shrinking                              // the selection drops to a tenth now and then
	Restores                               // restores among the backups
	VaultOnly                              // one day in three nothing gets beyond the LocalSpeedVault
	CloudStands                            // the cloud never catches up with the LocalSpeedVault

	// ErrorNumbers holds for all of Cove: every third error has its number in "code".
	ErrorNumbers
)

// AllQuirks holds every oddity.
const AllQuirks = ^Quirk(0)

// places in twenty devices where something befalls.
var places = map[int]Quirk{
	2: NeverRan, 3: Restarts, 4: Restores, 5: UnknownStatus, 7: Hostile, 8: UnknownSource, 10: Shrinking | VaultOnly,
	11: Hostile, 12: Restores, 13: LongRuns, 15: Restores | CloudStands, 16: Wedged, 18: Silent,
}

// quirks of the index-th device.
func (o Options) quirks(index int) Quirk {
	d := throw(o.Seed, 2, uint64(index))
	var q Quirk
	for shape := Quirk(1); shape < shapes; shape <<= 1 {
		if d.oneIn(3) {
			q |= shape
		}
	}
	return (q | places[index%20]) &^ o.Without
}

func (d *device) has(q Quirk) bool { return d.quirks&q != 0 }
