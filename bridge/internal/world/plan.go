// Package world is a deterministic simulation of everything that covebridge
// meets: devices and their backups, a Cove that tells of them, a mailbox, and
// one to three bridges on one ledger, with all that goes wrong with each. The
// client, collect, deliver and the ledger are the real ones, driven by the
// bridge's own Run; only time, Cove's wire and the mailbox are simulated.
//
// A Plan is all that happens in one world. Run carries it out within a
// testing/synctest bubble and tells what came out wrong. The same plan makes
// the same world each time, up to the order in which goroutines run.
package world

import (
	"fmt"
	"strings"
	"time"
)

// Plan is all that happens in one world. Its times count from the world's
// beginning, which is the first poll's.
type Plan struct {
	Bridges  int
	Devices  []Device
	Episodes []Episode
	Changes  []Change

	Skew      time.Duration // of the times in statistics against those in the history
	F15IsEnd  bool          // F15 of a session that ended is its end, not its start
	F18Starts bool          // F18 is the session's start, not its end
	Vague     bool          // F15 is missing while a session runs
}

// Device is one device and its backups.
type Device struct {
	Kind     Kind
	Offset   time.Duration // of its clock
	Sessions []Session     // source by source, in the order of their starts
	Tests    []Test        // of recovery, in their order
}

// Kind is that of a device.
type Kind int

// The kinds of devices.
const (
	Server Kind = iota
	Workstation
	Tenant
)

// Session is one backup of one data source.
type Session struct {
	Source     string // "D01"
	Start, End time.Duration
	Status     int           // Cove's; 1: it never ends
	Late       bool          // the history lists it only once it ended
	Delay      time.Duration // after its end, until the history lists its end
}

// Episode is a time in which something goes wrong.
type Episode struct {
	Kind     Trouble
	From, To time.Duration
	Device   int // whom it concerns, where it concerns one
}

// Trouble is what goes wrong for a while.
type Trouble string

// The kinds of trouble.
const (
	CoveAway      Trouble = "Cove is away"
	PageFails     Trouble = "a page of devices fails"
	NodeAway      Trouble = "the node is away"
	NoTexts       Trouble = "error texts can't be read"
	NullRow       Trouble = "null row"
	PartialRow    Trouble = "row without name and type"
	Vanished      Trouble = "not among the devices"
	DateOff       Trouble = "the Date header is a week ahead"
	OwnClockOff   Trouble = "the bridges' clock is a week ahead"
	OwnClockBack  Trouble = "the bridges' clock is a week behind"
	Throttled     Trouble = "the mailbox throttles"
	RefusesAll    Trouble = "the mailbox refuses each mail"
	RefusesDevice Trouble = "the mailbox refuses the device's mails"
	Stalls        Trouble = "the mailbox goes silent in mid-batch"
	Cuts          Trouble = "the mailbox cuts the connection in mid-batch"
	Mute          Trouble = "the mailbox takes mails and does not answer"
	Unasked       Trouble = "the mailbox can't be searched"
	DiskFull      Trouble = "nothing can be written to the ledger"
	LyingDisk     Trouble = "commits stand but fail"
)

// Change is what happens at a moment.
type Change struct {
	Kind   Event
	At     time.Duration
	For    time.Duration // of Killed, Paused and Restored: how long the bridge is away
	Bridge int
	Device int
}

// Event is what happens at a moment.
type Event string

// The kinds of events.
const (
	Killed       Event = "bridge killed"
	Paused       Event = "bridge paused"
	Copied       Event = "ledger copied"
	Restored     Event = "ledger restored from the copy"
	Moved        Event = "device moved to another customer"
	Renamed      Event = "customer renamed"
	DeviceJumped Event = "device's clock put back by 5 h"
)

// String tells the plan line by line.
func (p Plan) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d bridges, statistics %v off, F15 an end: %v, F18 a start: %v, no start while running: %v\n", p.Bridges, p.Skew, p.F15IsEnd, p.F18Starts, p.Vague)
	for i, d := range p.Devices {
		fmt.Fprintf(&b, "device %d: %s, clock off by %v\n", i, [...]string{"server", "workstation", "Microsoft 365"}[d.Kind], d.Offset)
		for _, s := range d.Sessions {
			fmt.Fprintf(&b, "  %s %v to %v, status %d", s.Source, s.Start, s.End, s.Status)
			if s.Late {
				b.WriteString(", listed late")
			}
			if s.Delay > 0 {
				fmt.Fprintf(&b, ", listed %v after its end", s.Delay)
			}
			b.WriteString("\n")
		}
		for _, x := range d.Tests {
			fmt.Fprintf(&b, "  recovery test %v to %v, status %d\n", x.Start, x.End, x.Status)
		}
	}
	for _, e := range p.Episodes {
		fmt.Fprintf(&b, "%v to %v: %s (device %d)\n", e.From, e.To, e.Kind, e.Device)
	}
	for _, c := range p.Changes {
		fmt.Fprintf(&b, "%v: %s (bridge %d, device %d, for %v)\n", c.At, c.Kind, c.Bridge, c.Device, c.For)
	}
	return b.String()
}

// has tells whether there is such a trouble at any time.
func (p Plan) has(kinds ...Trouble) bool {
	for _, e := range p.Episodes {
		for _, k := range kinds {
			if e.Kind == k {
				return true
			}
		}
	}
	return false
}
