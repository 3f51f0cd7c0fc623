package message

import (
	"cmp"

	"covebridge/bridge/backup"
)

// recovery says what a recovery test came to, and which backup was tried.
func (c clock) recovery(r backup.Run) string {
	what := "The recovery test " + [...]string{backup.Success: "succeeded", backup.Warning: "ended with a warning", backup.Failed: "failed"}[r.Status]
	var bad []string
	for _, s := range r.Sessions {
		if sessionStatus(s) != backup.Success {
			bad = append(bad, sessionName(s))
		}
	}
	if len(bad) > 0 {
		what += ": " + listFirst(bad)
	}
	what += "."
	of := cmp.Or(r.Recovered, &backup.Recovered{})
	if !of.Backup.IsZero() {
		what += " The backup of " + c.full(of.Backup) + " was restored."
	}
	if of.Plan != "" {
		what += " Plan: " + of.Plan + "."
	}
	return what
}
