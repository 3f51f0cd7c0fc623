package cove

import (
	"testing"
	"time"

	"covebridge/bridge/backup"
)

// What a row tells beside sessions: a success that had errors is none.
func TestExtras(t *testing.T) {
	r := parseRow([]byte(`{"AccountId":7,"Settings":[{"I1":"srv"},{"I32":"2"},{"I78":"D01D02"},{"I11":"Netherlands"},{"I36":"-2"},{"I37":"100"},
		{"I56":"Servers"},{"I77":"C-1"},{"I81":"Virtual"},{"D01F09":"1795400000"},{"D01F16":"5"},{"D02F09":"1795400000"},{"D02F16":"8"}]}`))
	var d backup.Device
	fillIn(&d, r, r.sources())
	if d.Location != "Netherlands" || d.Profile != "Servers" || d.Reference != "C-1" || d.Machine != "Virtual" {
		t.Errorf("%+v", d)
	}
	if d.Storage != (backup.Storage{Cloud: backup.CopyOffline, Vault: backup.CopySynchronised}) {
		t.Errorf("storage %+v", d.Storage)
	}
	if len(d.Good) != 1 || !d.Good["D01"].Equal(time.Unix(1795400000, 0)) {
		t.Errorf("successes %v", d.Good)
	}
}
