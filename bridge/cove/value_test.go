package cove

import (
	"encoding/json"
	"testing"
	"time"

	"covebridge/bridge/backup"
)

func TestValues(t *testing.T) {
	day := time.Unix(1795400000, 0).UTC()
	for text, want := range map[string]struct {
		text  string
		count int64
		time  time.Time
		took  time.Duration
	}{
		`"5"`:                    {"5", 5, time.Unix(5, 0).UTC(), 5 * time.Second},
		`5`:                      {"5", 5, time.Unix(5, 0).UTC(), 5 * time.Second},
		`["5","6"]`:              {"5", 5, time.Unix(5, 0).UTC(), 5 * time.Second},
		`[]`:                     {"", backup.Unknown, time.Time{}, 0},
		`[[5]]`:                  {"", backup.Unknown, time.Time{}, 0},
		`null`:                   {"", backup.Unknown, time.Time{}, 0},
		`{"a":1}`:                {"", backup.Unknown, time.Time{}, 0},
		`""`:                     {"", backup.Unknown, time.Time{}, 0},
		`true`:                   {"true", backup.Unknown, time.Time{}, 0},
		`"0"`:                    {"0", 0, time.Time{}, 0},
		`"-5"`:                   {"-5", backup.Unknown, time.Time{}, 0},
		`1795400000`:             {"1795400000", 1795400000, day, 0},
		`"1795400000000"`:        {"1795400000000", 1795400000000, day, 0},
		`1.7954e9`:               {"1.7954e9", 1795400000, day, 0},
		`" 1795400000.9 "`:       {" 1795400000.9 ", 1795400000, day, 0},
		`"9223372036854775807"`:  {"9223372036854775807", 1<<63 - 1, time.Unix(9223372036, 0).UTC(), 0},
		`"9223372036854775808"`:  {"9223372036854775808", backup.Unknown, time.Time{}, 0},
		`-99999999999999999999`:  {"-99999999999999999999", backup.Unknown, time.Time{}, 0},
		`"NaN"`:                  {"NaN", backup.Unknown, time.Time{}, 0},
		`"Inf"`:                  {"Inf", backup.Unknown, time.Time{}, 0},
		`"many"`:                 {"many", backup.Unknown, time.Time{}, 0},
		`"2026-11-23T02:13:20Z"`: {"2026-11-23T02:13:20Z", backup.Unknown, day, 0},
		`"0001-01-01T00:00:00Z"`: {"0001-01-01T00:00:00Z", backup.Unknown, time.Time{}, 0},
		`86400`:                  {"86400", 86400, time.Unix(86400, 0).UTC(), 24 * time.Hour},
		`99999999`:               {"99999999", 99999999, time.Unix(99999999, 0).UTC(), 0},
	} {
		var v value
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if v.text != want.text || v.count() != want.count || !v.time().Equal(want.time) || v.seconds() != want.took {
			t.Errorf("%s: %q %d %v %v, want %v", text, v.text, v.count(), v.time(), v.seconds(), want)
		}
	}
}

func TestRows(t *testing.T) {
	var r row
	if err := json.Unmarshal([]byte(`{"StartTime":null,"startTime":5,"BackupStartTime":7,"Flags":["a"],"X":""}`), &r); err != nil {
		t.Fatal(err)
	}
	if got := r.get("x", "nothing", "starttime", "backupstarttime").text; got != "5" {
		t.Errorf("got %q from %v", got, r)
	}
	for _, text := range []string{`null`, `[1]`, `"x"`, `5`} {
		if err := json.Unmarshal([]byte(text), &r); err != nil || len(r) != 0 {
			t.Errorf("%s: %v, %v", text, r, err)
		}
	}
}
