package cove

import (
	"strings"
	"time"

	"covebridge/bridge/backup"
)

// fillIn fills in what a row tells beside names and sessions.
func fillIn(d *backup.Device, r deviceRow, sources sourceSet) {
	text := func(column string) string { return strings.TrimSpace(r.columns[column].text) }
	d.Reference, d.Profile, d.Location = text(colRef), text(colProfile), text(colLocation)
	d.Machine = machine(text(colMachine))
	d.Storage = r.storage()
	for src := range sources.all() {
		at := r.columns[column(src, fGood)].time()
		if st := r.columns[column(src, fGoodStatus)].status(); at.IsZero() || !st.none() && st.number != stCompleted {
			continue // it had errors
		}
		if d.Good == nil {
			d.Good = map[string]time.Time{}
		}
		d.Good[src.dataSource().Key] = at
	}
}

// machine is a physicality for the reader. Its values are not documented: what
// is no word for it is left out.
func machine(text string) string {
	if text == "" || strings.EqualFold(text, "undefined") || strings.Trim(text, "0123456789") == "" {
		return ""
	}
	return text
}

func (r deviceRow) storage() backup.Storage {
	return backup.Storage{Cloud: copyOf(r.columns[colCloud]), Vault: copyOf(r.columns[colVault])}
}

// copyOf reads a storage status: -2 offline, -1 failed, 50 running, 100
// synchronised; 0 and what is not known is none. What else lies between 0 and
// 100 was not seen: if anything, it is how far one that runs is.
func copyOf(v value) backup.Copy {
	n, _ := v.number()
	switch {
	case n == -2:
		return backup.CopyOffline
	case n == -1:
		return backup.CopyFailed
	case 0 < n && n < 100:
		return backup.CopyRunning
	case n == 100:
		return backup.CopySynchronised
	}
	return ""
}

// console is the device's page in Cove's console, in a form that third parties
// use; the number of the view varies, and any serves.
func console(d backup.Device) string {
	if d.Type == backup.Microsoft365 {
		return "https://backup.management/#/device/" + d.ID + "/cloud-properties/office365/history"
	}
	return "https://backup.management/#/backup/overview/view/1662(panel:device-properties/" + d.ID + "/summary)"
}
