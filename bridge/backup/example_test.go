package backup_test

import (
	"fmt"
	"time"

	"covebridge/bridge/backup"
)

// Two data sources that were backed up one after the other are one run, ready
// once nothing more can join it.
func ExampleJournal_Ready() {
	at := func(hour, minute int) time.Time { return time.Date(2026, 11, 28, hour, minute, 0, 0, time.UTC) }
	rules := backup.Rules{Window: 10 * time.Minute, MaxWait: 24 * time.Hour}
	device := backup.Device{Product: "cove", ID: "1100062", Name: "srv02_8re09"}
	session := func(id, source string, status backup.Status, start, end time.Time) backup.Session {
		return backup.Session{ID: id, Source: backup.DataSource{Key: source, Name: source}, State: backup.Ended, Status: status, Start: start, End: end}
	}
	look := backup.Look{Now: at(2, 35), Trusted: at(2, 35), Baseline: at(0, 0), Since: at(0, 0), Read: true, Shown: true,
		Snapshot: &backup.Snapshot{Device: device},
		History: []backup.Session{
			session("1", "Files and folders", backup.Success, at(2, 0), at(2, 20)),
			session("2", "MS SQL", backup.Failed, at(2, 21), at(2, 30)),
		}}

	var journal backup.Journal
	journal.Observe(look, rules)
	fmt.Println("at 2:35:", len(journal.Ready(look, rules)), "ready; next look", journal.Due(look, rules).Format("15:04"))

	look.Now, look.Trusted = at(2, 41), at(2, 41)
	for _, run := range journal.Ready(look, rules) {
		fmt.Println("at 2:41:", run.ID, run.Status, len(run.Sessions), "sessions")
	}
	// Output:
	// at 2:35: 0 ready; next look 02:40
	// at 2:41: cove-1100062-20261128T020000Z Failed 2 sessions
}
