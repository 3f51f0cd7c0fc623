package covesim

import "testing"

func TestFilter(t *testing.T) {
	device := func(name string) string {
		return map[string]string{
			"AT": "1", "TS": "1795420000", "AU": "1234", "AN": "srv01_ab12c", "I78": "D01D02", "F0": "8", "Type": "3",
			"AR": "Müller & Söhne GmbH", "BackupStartTime": "1795400000",
		}[name]
	}
	for text, want := range map[string]bool{
		"":                                true,
		"AT == 1":                         true,
		"AT==2":                           false,
		"AT == 1 AND TS > 1.days().ago()": true,
		"TS > 1.hour().ago()":             false, // an hour and 13 minutes before
		"TS > 2.hours().ago()":            true,
		"AU in (1,2,3)":                   false,
		"AU in (1, 1234 ,3)":              true,
		"AT == 2 OR AU in (1234)":         true,
		"AT == 1 AND AU == 1 OR TS > 0":   true,
		"AT == 2 AND (AU == 1 OR TS > 0)": false,
		"!( AT == 2 )":                    true,
		"!(AT == 1) OR !(AU == 1)":        true,
		"I78 =~ '*D01*'":                  true,
		"I78 =~ '*D10*'":                  false,
		"AN =~ 'srv*_*c'":                 true,
		"AN =~ 'srv01'":                   false,
		`AR == "Müller & Söhne GmbH"`:     true,
		"F0 != 5 AND I78 =~ '*D01*'":      true,
		"X0 != 5":                         true, // an absent data source compares as 0
		"X0 == 0":                         true,
		"BackupStartTime >= 1795400000 and (Type & 1) == 1": true,
		"BackupStartTime < 1795400000":                      false,
		"BackupStartTime <= 1795400000 and Type & 2 == 2":   true,
		"0 != 1":   true,
		"AU > 999": true, // as numbers
		"(BackupStartTime >= 1 and BackupStartTime < 1795400001) and 0 != 1": true,
	} {
		f, err := parseFilter(text, monday)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if got := f.matches(device); got != want {
			t.Errorf("%s is %v", text, got)
		}
	}
}

func TestFilterSyntax(t *testing.T) {
	for _, text := range []string{"AT ==", "(AT == 1", "AT == 1)", "AU in 1", "AU in (1", "TS > 1.lightyears().ago()", "AT = 1", "'open", "== 1", "1 ; 2", ","} {
		if _, err := parseFilter(text, monday); err == nil {
			t.Errorf("%q was understood", text)
		}
	}
	p := start(t, Options{Devices: 1})
	if r := p.call("EnumerateAccountStatistics", object{"query": object{"PartnerId": rootID, "Filter": "AT =="}}); r.number() != -32603 {
		t.Errorf("a broken filter: %+v", r.Error)
	}
}

func FuzzFilter(f *testing.F) {
	f.Add("AT == 1 AND TS > 1.days().ago()")
	f.Add("!(AU in (1,2)) || (Type & 1) == 1")
	f.Fuzz(func(t *testing.T, text string) {
		if f, err := parseFilter(text, monday); err == nil {
			f.matches(func(string) string { return "1" })
		}
	})
}
