package covesim

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestStatisticsAsInTheDocument(t *testing.T) {
	p := start(t, Options{Without: AllQuirks})
	rows, r := p.statistics(object{
		"StartRecordNumber": 0, "RecordsCount": 250,
		"Columns": []string{"I0", "I1", "I8", "I18", "I32", "I59", "I78", "I6", "D01F00", "D01F15"},
		"Filter":  "AT == 1 AND TS > 1.days().ago()", "OrderBy": "I0 ASC", "SelectionMode": "Merged",
		"Totals": []string{"COUNT(AT==1)"},
	})
	if len(rows) < 20 {
		t.Fatalf("%d devices, want most of 34", len(rows))
	}
	if n := r.Result.TotalRecordsCount; n == nil || *n != len(rows) {
		t.Errorf("totalRecordsCount %v, want %d", n, len(rows))
	}
	if got := r.Result.TotalStatistics; len(got) != 1 || got[0]["COUNT(AT==1)"] != fmt.Sprint(len(rows)) {
		t.Errorf("totalStatistics %v", got)
	}
	for _, row := range rows {
		if row.AccountId < 1_000_000 || row.AccountId > 9_999_999 || row.Flags != nil || row.PartnerId == 0 {
			t.Errorf("row %+v", row)
		}
		for _, s := range row.Settings {
			for name, v := range s {
				if _, text := v.(string); len(s) != 1 || !text {
					t.Errorf("setting %q: %v in %v", name, v, s)
				}
			}
		}
		if row.setting("I59") != "1" || row.setting("I0") != fmt.Sprint(row.AccountId) {
			t.Errorf("device columns %v", row.Settings)
		}
	}
}

func TestStatisticsPages(t *testing.T) {
	p := start(t, Options{Devices: 23})
	one, _ := p.statistics(object{"Columns": []string{"I0"}})
	if len(one) != 1 {
		t.Errorf("without RecordsCount %d devices, want 1", len(one))
	}
	var ids []int64
	for from := 0; ; from += 10 {
		rows, _ := p.statistics(object{"StartRecordNumber": from, "RecordsCount": 10})
		for _, r := range rows {
			ids = append(ids, r.AccountId)
		}
		if len(rows) < 10 {
			break
		}
	}
	if len(ids) != 23 || !slices.IsSorted(ids) || len(slices.Compact(ids)) != 23 {
		t.Errorf("pages gave %v", ids)
	}
	back, _ := p.statistics(object{"RecordsCount": 23, "OrderBy": "AU DESC"})
	if back[0].AccountId != ids[22] || back[22].AccountId != ids[0] {
		t.Errorf("descending: %v first", back[0].AccountId)
	}
}

func TestStatisticsOfCustomers(t *testing.T) {
	p := start(t, Options{})
	all, below := map[int64]int64{}, 0
	rows, _ := p.statistics(object{"RecordsCount": 100})
	for _, r := range rows {
		all[r.AccountId] = r.PartnerId
	}
	reseller := p.fleet.customers[1]
	for _, c := range all {
		if p.fleet.find(c).within(reseller) {
			below++
		}
	}
	rows, _ = p.statistics(object{"PartnerId": reseller.id, "RecordsCount": 100})
	if len(rows) != below || below == 0 || below == len(all) {
		t.Errorf("%d devices below %s, want %d of %d", len(rows), reseller.name, below, len(all))
	}
	if rows, _ = p.statistics(object{"PartnerId": 1, "RecordsCount": 100}); len(rows) != 0 {
		t.Errorf("somebody else's customer has %d devices", len(rows))
	}
}

func TestColumnSpellings(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"F00", ""}, {"F0", "D01F00"}, {"D1F0", "D01F00"}, {"D01F00", "D01F00"}, {"D1F00", "D01F00"}, {"T0", "D09F00"},
		{"TB", "D09F08"}, {"TL", "D09F09"}, {"F7", "D01F06"}, {"F6", "D01F07"}, {"G@", "D19F21"}, {"S0", "D02F00"},
		{"AU", "I0"}, {"I0", "I0"}, {"I00", "I0"}, {"TS", "I6"}, {"AP", "I78"}, {"D23F15", "D23F15"}, {"XX", ""}, {"", ""},
	} {
		c, ok := parseColumn(test.text)
		if ok != (test.want != "") || ok && c.String() != test.want {
			t.Errorf("%q is %v (%v), want %q", test.text, c, ok, test.want)
		}
	}
	for _, c := range []column{{"D01", 6}, {"D23", 0}, {"", 78}, {"", 31}} {
		for nth := range 2 {
			if back, ok := parseColumn(c.other(nth)); !ok || back != c {
				t.Errorf("%v spelled %q is %v", c, c.other(nth), back)
			}
		}
	}
}

func TestAbsentColumnsAreMissing(t *testing.T) {
	p := start(t, Options{Without: AllQuirks})
	rows, _ := p.statistics(object{"RecordsCount": 1, "Columns": []string{"I1", "D19F00", "D77F00", "NONSENSE"}})
	if len(rows[0].Settings) != 1 || rows[0].setting("I1") == nil {
		t.Errorf("settings %v, want I1 alone", rows[0].Settings)
	}
}

func TestStatisticsEqualTheTruth(t *testing.T) {
	p := start(t, Options{Every: 10 * time.Minute, History: 6 * time.Hour, Without: shapes | UnknownSource})
	columns := []string{"D01F00", "D01F06", "D01F12", "D01F15", "D01F17", "D01F18"}
	for range 20 {
		p.Advance(97 * time.Second)
		newest := map[string]Session{}
		done := map[string]Session{}
		for _, s := range p.Truth() {
			key := fmt.Sprint(s.DeviceID, s.Source)
			newest[key] = s
			if !s.End.IsZero() && s.Status != Restarted {
				done[key] = s
			}
		}
		rows, _ := p.statistics(object{"RecordsCount": 100, "Columns": columns})
		for _, row := range rows {
			key := fmt.Sprint(row.AccountId, "D01")
			last, ran := newest[key]
			if !ran {
				continue
			}
			end := done[key]
			want := fmt.Sprintf("%d %d %d %d %d %d", last.Status, end.ErrorsCount, end.End.Sub(end.Start)/time.Second,
				last.Start.Unix(), end.Status, end.End.Unix())
			var got []string
			for _, column := range columns {
				got = append(got, fmt.Sprint(row.setting(column)))
			}
			if strings.Join(got, " ") != want {
				t.Errorf("device %d: %s, want %s", row.AccountId, got, want)
			}
		}
	}
}

func TestColourBarHasTodayRightmost(t *testing.T) {
	p := start(t, Options{Devices: 1, Without: AllQuirks})
	d := p.fleet.devices[0]
	bar := p.fleet.colourBar(d, total.code, monday)
	if len(bar) != 28 {
		t.Fatalf("bar %q", bar)
	}
	newest := map[string]int{}
	for _, s := range p.Truth() {
		newest[s.Start.Format(time.DateOnly)] = s.Status
	}
	for i := range 28 {
		date := monday.AddDate(0, 0, i-27).Format(time.DateOnly)
		if want := colour(newest[date]); bar[i] != want {
			t.Errorf("%s: %c, want %c", date, bar[i], want)
		}
	}
	if colour(Restarted) != 'C' || colour(Completed) != '5' {
		t.Error("signs of the colour bar")
	}
}

func TestTotalIsTheNewestOfAll(t *testing.T) {
	p := start(t, Options{Without: AllQuirks})
	for _, d := range p.fleet.devices {
		all := p.fleet.presents(d, monday)
		var success time.Time
		for code, x := range all {
			if code != total.code && x.success != nil && x.success.End.After(success) {
				success = x.success.End
			}
		}
		if got := all[total.code].success; got != nil && !got.End.Equal(success) {
			t.Errorf("%s: total succeeded %v, want %v", d.name, got.End, success)
		}
	}
}

// Some servers write to a LocalSpeedVault first: of these the cloud is at times
// out of reach, or never catches up. What a machine is stands in words.
func TestStatisticsTellWhereCopiesLie(t *testing.T) {
	seen := map[string]int{}
	for day := range 3 {
		p := start(t, Options{Start: monday.AddDate(0, 0, day), Without: AllQuirks &^ VaultOnly &^ CloudStands})
		rows, _ := p.statistics(object{"RecordsCount": 100, "Columns": []string{"I0", "I32", "I36", "I37", "I81"}})
		for _, r := range rows {
			cloud, vault, machine := fmt.Sprint(r.setting("I36")), fmt.Sprint(r.setting("I37")), fmt.Sprint(r.setting("I81"))
			q := p.fleet.byID[r.AccountId].quirks
			switch {
			case vault != "0" && r.setting("I32") != "2", cloud == "-2" && q&VaultOnly == 0, q&CloudStands != 0 && cloud != "50":
				t.Errorf("%d: cloud %s, vault %s", r.AccountId, cloud, vault)
			case (machine == "Undefined") != (r.setting("I32") == "0"):
				t.Errorf("%d: machine %q", r.AccountId, machine)
			}
			seen["vault "+vault]++
			seen["cloud "+cloud]++
			seen[machine]++
		}
	}
	for _, want := range []string{"vault 0", "vault 100", "cloud -2", "cloud 50", "cloud 100", "Physical", "Virtual", "Undefined"} {
		if seen[want] == 0 {
			t.Errorf("no %s in %v", want, seen)
		}
	}
}
