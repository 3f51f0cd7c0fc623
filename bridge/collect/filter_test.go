package collect_test

import (
	"testing"

	"covebridge/bridge/backup"
	"covebridge/bridge/collect"
)

func TestFilters(t *testing.T) {
	w := newWorld(t, func(o *collect.Options) {
		o.Filter = collect.Filter{
			Devices:     collect.Globs{Exclude: []string{"SRV2"}},
			DataSources: collect.Globs{Exclude: []string{"Sys*"}},
			Statuses:    []backup.Status{backup.Failed, backup.Warning},
		}
	})
	w.device("1", "Files 01:00-01:30 Warning\nSystem 01:00-01:10 Failed\nFiles 05:00-05:10")
	w.device("2", "Files 01:00-01:30 Failed")
	w.until("06:00")
	w.want("Warning srv1")
	rules := map[string]int{}
	for _, e := range w.entries {
		if e.State == backup.EntryFiltered {
			rules[e.Reason]++
		}
	}
	if len(rules) != 3 || rules[`filter.data_sources exclude "Sys*"`] != 1 || rules[`filter.devices exclude "SRV2"`] != 1 || rules["filter.statuses without Success"] != 1 {
		t.Errorf("got %v", rules)
	}
}

// Each filter by itself; the rule that stops a run is its reason.
func TestEachFilter(t *testing.T) {
	for reason, f := range map[string]collect.Filter{
		`filter.customers exclude "bolt*"`:                  {Customers: collect.Globs{Exclude: []string{"bolt*"}}},
		`filter.customers exclude "North"`:                  {Customers: collect.Globs{Exclude: []string{"North"}}},
		`filter.customers include does not match "Bolt BV"`: {Customers: collect.Globs{Include: []string{"Acme"}}},
		`filter.devices exclude "MAIL?"`:                    {Devices: collect.Globs{Exclude: []string{"MAIL?"}}},
		`filter.devices include does not match "srv1"`:      {Devices: collect.Globs{Include: []string{"srv2"}}},
		`filter.data_sources exclude "FILES"`:               {DataSources: collect.Globs{Exclude: []string{"FILES"}}},
		"filter.types without Server":                       {Types: []string{backup.Workstation}},
		"filter.statuses without Success":                   {Statuses: []backup.Status{backup.Failed}},
		"": {
			Customers: collect.Globs{Include: []string{"acme", "north"}, Exclude: []string{"south"}}, Devices: collect.Globs{Include: []string{"*1"}},
			DataSources: collect.Globs{Include: []string{"files"}}, Types: []string{backup.Server}, Statuses: []backup.Status{backup.Success},
		},
	} {
		w := newWorld(t, func(o *collect.Options) { o.Filter = f })
		w.device("1", "Files 01:00-01:30")
		w.devices[0].Alias, w.devices[0].CustomerPath = "mail1", []string{"North"}
		w.until("02:00")
		if len(w.entries) != 1 || w.entries[0].Reason != reason || (w.entries[0].State == backup.EntryFiltered) != (reason != "") {
			t.Errorf("%s: %+v", reason, w.entries)
		}
	}
}
