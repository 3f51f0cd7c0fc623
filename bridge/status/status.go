// Package status tells how a covebridge is: what the page, `covebridge status`,
// metrics, health and heartbeat show. It is read from the ledger, into which
// each bridge tells now and then how it is, so that it can be asked for beside a
// running daemon.
package status

import (
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/finding"
)

// Status is how things stand at one moment.
type Status struct {
	At       time.Time             `json:"at"`
	Bridges  []Bridge              `json:"bridges"`  // the processes that share the ledger, the one seen last first
	Accounts []Account             `json:"accounts"` // in the order of the configuration
	Backlog  Backlog               `json:"backlog"`
	Today    map[backup.Status]int `json:"today"` // whole runs that ended since midnight in mail.timezone
	Lag      Lag                   `json:"lag"`
	Stopped  Stopped               `json:"stopped"`
	Findings []finding.Finding     `json:"findings"` // the worst first
}

// Bridge is one process at work on the ledger.
type Bridge struct {
	Name    string    `json:"name"` // host and process: "backup1:4711"
	Version string    `json:"version"`
	Started time.Time `json:"started"`
	Seen    time.Time `json:"seen"`           // when it told last how it is
	Until   time.Time `json:"until,omitzero"` // if it tells nothing until then, it is gone; zero: it has ended
}

// Alive tells whether the bridge runs, as far as can be known.
func (b Bridge) Alive(now time.Time) bool { return b.Until.After(now) }

// Account is one Cove login.
type Account struct {
	Name     string    `json:"name"`
	LastPoll time.Time `json:"last_poll,omitzero"` // end of the last poll, well or not; zero: none yet
	LastGood time.Time `json:"last_good,omitzero"` // end of the last poll that went well
	NextPoll time.Time `json:"next_poll,omitzero"` // zero: none is planned, as after a refused login
	Devices  int       `json:"devices"`            // as of the last poll that read all
	Error    string    `json:"error,omitempty"`    // why the last poll failed; empty: it went well

	Unreadable      int    `json:"unreadable,omitempty"`       // devices whose session history could not be read when they were last looked at
	UnreadableCause string `json:"unreadable_cause,omitempty"` // why, of one of them
}

// Backlog is what waits to be delivered.
type Backlog struct {
	Mails  int       `json:"mails"`
	Oldest time.Time `json:"oldest,omitzero"`  // when the one that waits longest was queued; zero: none waits
	Failed int       `json:"failed"`           // given up within a week, and not sent since
	First  time.Time `json:"first,omitzero"`   // when the first of those was
	Reason string    `json:"reason,omitempty"` // why the newest of those was
}

// Lag is the time from a run's end to its delivery, of the runs that ended
// within a day and were delivered.
type Lag struct {
	Runs   int           `json:"runs"`
	Median time.Duration `json:"median"` // nanoseconds, as Worst
	Worst  time.Duration `json:"worst"`
	Recent time.Duration `json:"recent"` // the median of those that were delivered within an hour
}

// Stopped is what the filters did to the runs that ended within a day.
type Stopped struct {
	Runs int    `json:"runs"` // that a filter stopped, those by filter.statuses aside
	Of   int    `json:"of"`   // runs that were not older than the baseline
	Rule string `json:"rule,omitempty"`
}
