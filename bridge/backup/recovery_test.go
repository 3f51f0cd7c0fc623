package backup

import (
	"testing"
	"time"
)

// Each recovery test is told of once, each way of recovery for itself, and the
// first ones seen only if they ended after the baseline.
func TestRecovered(t *testing.T) {
	other := DataSource{Key: "standby", Name: "Standby Image"}
	boot := Session{State: Ended, Status: Failed, Start: at("09:50"), End: at("10:20")}
	tests := []RecoveryTest{
		{Plan: "weekly", End: at("10:00"), Backup: at("02:00"), Parts: []Session{{State: Ended, Start: at("10:00")}, boot}},
		{Way: other, End: at("06:00"), Parts: []Session{{State: Ended, Status: Warning}}},
	}
	j := Journal{Device: device, First: at("01:00")}
	o := Look{Now: at("11:00"), Trusted: at("11:00"), Baseline: at("08:00"), Tests: tests}
	ready := j.Ready(o, rules)
	if len(ready) != 2 {
		t.Fatalf("%d runs, want 2", len(ready))
	}
	old, weekly := ready[0], ready[1]
	if !old.Old || old.Source == nil || *old.Source != other || old.Status != Warning || !old.Start.Equal(at("06:00")) {
		t.Errorf("the old one by another way is %+v", old)
	}
	if weekly.Old || weekly.Source != nil || weekly.Status != Failed || !weekly.Start.Equal(at("09:50")) || weekly.Recovered.Plan != "weekly" {
		t.Errorf("the other one is %+v", weekly)
	}
	if weekly.Type() != RecoveryType || (Run{Device: Device{Type: Server}}).Type() != Server {
		t.Error("a recovery test is filed with the backups, or the other way round")
	}
	for _, c := range ready {
		j.Sent(c)
	}
	if again := j.Ready(o, rules); len(again) != 0 {
		t.Errorf("told of again: %+v", again)
	}
	for i := range o.Tests {
		o.Tests[i].End = o.Tests[i].End.Add(30 * time.Minute)
	}
	ready = j.Ready(o, rules)
	if len(ready) != 2 || ready[0].Old || ready[1].Old {
		t.Errorf("the next ones of both ways are %+v", ready)
	}
}
