package backup

import (
	"reflect"
	"testing"
	"time"
)

// What a row does not tell stays as it was known, and what it tells counts.
func TestUpdate(t *testing.T) {
	known := Device{
		Product: "cove", Software: "Cove", ID: "1", Name: "srv", Alias: "mail server", Computer: "SRV", OS: "Windows", Type: Workstation,
		Customer: "Bolt", CustomerID: "7", CustomerPath: []string{"MSP", "Bolt"}, Reference: "C7", Profile: "night", Location: "NL",
		Machine: "Virtual", Storage: Storage{Cloud: CopySynchronised}, Console: "https://console.example/1", Created: monday, UsedStorage: 5,
		ColourBar: []Day{{Word: "Completed"}}, Good: map[string]time.Time{"F": monday},
	}
	bare := Device{Product: "cove", Software: "Cove", ID: "1", UsedStorage: Unknown, CustomerID: "7"}
	if got := known.Update(bare); !reflect.DeepEqual(got, known) {
		t.Errorf("a row that tells nothing made\n%+v\nof\n%+v", got, known)
	}
	told := Device{
		Product: "cove", Software: "Cove", ID: "1", Name: "new", Alias: "file server", Computer: "NEW", OS: "Linux", Type: Server,
		Customer: "Kade", CustomerID: "8", CustomerPath: []string{"MSP", "Kade"}, Reference: "C8", Profile: "day", Location: "DE",
		Machine: "Physical", Storage: Storage{Cloud: CopyFailed}, Console: "https://console.example/2", Created: monday.AddDate(0, 0, 1), UsedStorage: 6,
		ColourBar: []Day{}, Good: map[string]time.Time{},
	}
	if got := known.Update(told); !reflect.DeepEqual(got, told) {
		t.Errorf("a row that tells all made\n%+v\nwant\n%+v", got, told)
	}
	moved := bare
	moved.CustomerID = "8"
	if got := known.Update(moved); got.CustomerPath != nil {
		t.Errorf("a device that moved stands under %q", got.CustomerPath)
	}
	if got := (Device{}).Update(bare); got.Type != Server || got.UsedStorage != Unknown {
		t.Errorf("a device of which nothing is known is a %q with %d bytes", got.Type, got.UsedStorage)
	}
	tenant := bare
	if tenant.Type = Microsoft365; known.Update(tenant).Computer != "" {
		t.Error("a tenant has a computer")
	}
}
