package bridge_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"covebridge/bridge"
	"covebridge/bridge/backup"
	"covebridge/bridge/covesim"
)

// Copies that reach only the LocalSpeedVault, and clouds that don't catch up with
// it, are told of in the mails of the runs concerned, and in no others.
func TestCopiesInTheCloud(t *testing.T) {
	t.Parallel()
	w, sim := simWorld(t, covesim.Options{Seed: 2, Devices: 16, Without: covesim.Wedged | covesim.LongRuns}, func(o *bridge.Options) {
		o.Collect.Rules.NotInCloud = backup.Warning
	})
	began := sim.Now()
	for range 36 {
		w.pollSim(sim, 2*time.Hour)
	}
	quirks := map[string]covesim.Quirk{}
	for _, d := range sim.Devices() {
		quirks[strconv.FormatInt(d.ID, 10)] = d.Quirks
	}
	only, behind, plain := 0, 0, 0
	for _, e := range w.runs() {
		if e.Run.Kind != backup.Whole || e.State != backup.EntrySent {
			continue
		}
		text, q := w.texts[e.Run.ID+"@covebridge"], quirks[e.Run.Device.ID]
		vault, offline := e.Run.Device.Storage.Vault != "", e.Run.Device.Storage.Cloud == backup.CopyOffline
		switch isOnly, isBehind := strings.Contains(text, "reached only the LocalSpeedVault"), strings.Contains(text, "has not caught up for"); {
		case isOnly && isBehind, (isOnly || isBehind) && (!vault || e.Run.Status == backup.Success):
			t.Errorf("both, without a vault, or a success:\n%s", text)
		case isOnly != (q&covesim.VaultOnly != 0 && offline):
			t.Errorf("only: %t\n%s", isOnly, text)
		case isBehind != (q&covesim.CloudStands != 0 && e.Run.End.After(began.Add(24*time.Hour))):
			t.Errorf("behind: %t\n%s", isBehind, text)
		case isOnly:
			only++
		case isBehind:
			behind++
		case vault:
			plain++
		}
	}
	if only < 1 || behind < 2 || plain < 5 {
		t.Errorf("only in the vault: %d, behind: %d, neither: %d", only, behind, plain)
	}
}
