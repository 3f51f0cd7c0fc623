package collect_test

import (
	"context"
	"fmt"
	"maps"
	"testing"

	"covebridge/bridge/backup"
	"covebridge/bridge/collect"
)

// A survey tells how many devices the filters let through, which of them stops
// the others, and which devices would share a job.
func TestSurvey(t *testing.T) {
	job, err := collect.NewJob("{{.Device.Computer}}")
	if err != nil {
		t.Fatal(err)
	}
	second := newProduct("second")
	w := newWorld(t, func(o *collect.Options) {
		o.Job = job
		o.Filter = collect.Filter{
			Devices: collect.Globs{Exclude: []string{"srv3"}}, DataSources: collect.Globs{Exclude: []string{"Boot"}},
			Types: []string{backup.Server, backup.Microsoft365}, Statuses: []backup.Status{backup.Failed},
		}
	})
	computers := []string{"A", "B", "A", "A", "A", "A", "C", "D"}
	for i, computer := range computers {
		w.device(fmt.Sprint(i), "Files 00:01-00:02")
		w.devices[i].Computer = computer
	}
	w.advanceBoth(w.at("01:00").Sub(w.now))
	w.devices[1].Type = backup.Microsoft365
	w.devices[4].Name = ""            // its name is asked for later: no job yet, and no filter of names
	w.devices[6].Type = "Workstation" // filter.types
	w.truth["7"][0].Source.Name = "Boot"
	w.truth["7"][0].Source.Key = "Boot" // filter.data_sources
	second.devices, second.truth, second.now = w.devices[:1], w.truth, w.now
	s := collect.NewSurvey(w.Options)
	got, err := s.Add(context.Background(), w.product)
	if err != nil {
		t.Fatal(err)
	}
	if got.Devices != 8 || got.Passed != 5 || !maps.Equal(got.Stopped, map[string]int{"filter.devices": 1, "filter.types": 1, "filter.data_sources": 1}) {
		t.Errorf("got %+v", got)
	}
	if len(got.Samples) != 2 || got.Samples[0].ID != "0" || got.Samples[1].ID != "1" {
		t.Errorf("samples %+v", got.Samples)
	}
	if want := (collect.SharedJob{Job: "A", Device: "srv0", Other: "srv2"}); len(s.Shared) != 1 || s.Shared[0] != want {
		t.Errorf("shared: %+v", s.Shared)
	}
	if again, err := s.Add(context.Background(), second); err != nil || again.Devices != 0 || s.Accounts["second"] != again {
		t.Errorf("got %+v, %v", again, err)
	}
}

// A device that never ran is no sample, and no data source of it is filtered.
func TestSurveyOfIdleDevices(t *testing.T) {
	w := newWorld(t, func(o *collect.Options) { o.Filter.DataSources.Include = []string{"Files"} })
	w.null["1"] = true // tells nothing but that it is there
	w.device("1", "Files 00:01-00:02")
	w.advanceBoth(w.at("01:00").Sub(w.now))
	if got, err := collect.NewSurvey(w.Options).Add(context.Background(), w.product); err != nil || got.Passed != 1 || len(got.Samples) != 0 {
		t.Errorf("got %+v, %v", got, err)
	}
}
