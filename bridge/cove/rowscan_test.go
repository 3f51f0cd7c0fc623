package cove

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

// simply is what rowScan does, simply said: all columns into a map, and then
// the sum over the fields that count.
func simply(raw []byte) scanned {
	r := parseRow(raw)
	var sum uint64
	for name, v := range r.columns {
		s, f, ok := sourceOf(name)
		text := strings.TrimSpace(v.text)
		if !ok || s == total || !slices.Contains(sessionFields, f) || text == "" || text == "0" {
			continue
		}
		told := func(f field) bool {
			text := strings.TrimSpace(r.columns[column(s, f)].text)
			return text != "" && text != "0"
		}
		running := r.columns[column(s, fStatus)].status().running() && (told(fTime) || told(fDoneTime))
		if running && !slices.Contains([]field{fStatus, fTime, fDoneStatus, fDoneTime}, f) {
			continue
		}
		h := fnvBasis
		for _, part := range []string{name, text} {
			h ^= uint64(len(part))
			words := append([]byte(part), make([]byte, 8-len(part)%8)...)
			for i := 0; i < len(words); i += 8 {
				h = (h ^ binary.LittleEndian.Uint64(words[i:])) * fnvPrime
				if i+8 < len(words) {
					h ^= h >> 32
				}
			}
		}
		sum += mix(h)
	}
	if r.storage().Behind() {
		sum += hashBehind
	}
	if sum == 0 && len(r.columns) > 0 {
		sum = 1
	}
	return scanned{id: r.id, fingerprint: sum, sources: r.sources()}
}

func agrees(t *testing.T, raw []byte, got scanned) {
	t.Helper()
	want := simply(raw)
	if got.id != want.id || got.fingerprint != want.fingerprint || got.sources != want.sources {
		t.Errorf("%s: %+v, want %+v", raw, got, want)
	}
}

func scanOf(raw string) scanned {
	var s rowScan
	s.scan(jsontext.Value(raw))
	return scanned{id: s.id, fingerprint: s.fingerprint(), sources: s.sources}
}

var oddRows = []string{
	`{}`, `[]`, `null`, `5`, `"x"`, `{"AccountId":7}`, `{"AccountId":"7","Settings":null}`, `{"accountid":[7],"SETTINGS":[]}`,
	`{"AccountId":null,"AccountId":8,"Settings":[{"I0":"9"}]}`, `{"AccountId":0,"Settings":[{"AU":9}]}`,
	"{ \"AccountId\" : 7 ,\r\n\t\"Settings\" : [ { \"D01F00\" : \"5\" } , { \"D01F18\" :\"1795400000\" } ] , \"Flags\" : {\"a\":[{}]} }",
	`{"Settings":[{"D1F0":"1","D01F17":5},{"D01F12":"9","D01F15":1795400000}]}`, `{"Settings":[{"D1F0":"InProcess","D01F12":"9","G":"1","FG":"7"}]}`,
	`{"Settings":[{"D01F00":"1","D01F12":"9"}]}`, `{"Settings":{"F0":"9","d01f18":" 1795400000 ","\u0044\u00301F06":"1"}}`,
	`{"Settings":[{"D01F00":""},{"F0":"5"},{"D01F06":"0"},{"D01F05":" 0 "},{"D01F04":null},{"D01F04":["7"]},{"D01F03":[]},{"D01F02":{"a":1}}]}`,
	`["I0=9","D01F00=1","F5=7","x","=","D1F15=\u0031"]`, `[["I0=9"],{"I0":"8"},"AP=D1,D2D27"]`, `{"Settings":"D01F00=5"}`,
	`{"Settings":[{"I78":"D09D1D02 d27DD8"},{"AP":"D03"},{"D09F00":"5"},{"D00F00":"5"},{"D99F00":"2"},{"D99F99":"2"},{"D001F00":"2"},{"D1F":"2"}]}`,
	`{"Settings":[{"D01F00":"\u00e9"},{"D02F00":"\ud800"},{"D03F06":"a\\\"b"},{"D04F06":true},{"D05F06":-1.5e3}]}`,
	"{\"Settings\":[{\"D01F00\":\"\xff\"},{\"D\xff1F00\":\"5\"},{\"D01F15\":\"\u00855\u2003\"},{\"D01F12\":\"3\\u000b\"}]}",
	`{"\u0053ettings":[{"D01F00":"5"}],"settingſ":[{"D01F06":"5"}],"A\u0063countId":6}`,
	`{"Settings":[{"I36":"50"},{"I37":"100"},{"I36":"100"}]}`, `{"Settings":[{"YS":100},{"YV":" 37.5 "}]}`, `{"Settings":[{"I36":"50"},{"I37":"0"}]}`,
	`{"Settings":[{"YV":[50]},{"I36":null},{"I36":"-1"}]}`, `{"Settings":[{"I37":"x"},{"I036":"50"}]}`,
	`{"Settings":[[{"D01F00":"5"}],null,7,true,{"D01F00":12},{"D02F00":"12"},{"D03F00":"012"},{"D04F00":"1.0"},{"D05F00":"None"}]}`,
}

// The fast reading of a row and the simple one agree on every oddity.
func TestRowScan(t *testing.T) {
	rows := slices.Clone(oddRows)
	for _, name := range []string{"statistics.json", "statistics-data.json", "statistics-lone.json"} {
		var p page
		if _, _, err := readEnvelope(strings.NewReader(recorded(t, name)), maxReply, false, func(dec *decoder) error { return p.read(dec, 250) }); err != nil {
			t.Fatal(err)
		}
		for _, s := range p.rows {
			rows = append(rows, string(p.text[s.from:s.to]))
		}
	}
	var one rowScan // keeps nothing of the row before
	for _, raw := range rows {
		agrees(t, []byte(raw), scanOf(raw))
		one.scan(jsontext.Value(raw))
		agrees(t, []byte(raw), scanned{id: one.id, fingerprint: one.fingerprint(), sources: one.sources})
	}
	if s := scanOf(oddRows[10]); s.id != 7 || s.fingerprint == 0 || !s.sources.has(1) {
		t.Errorf("%+v", s)
	}
}

func FuzzRow(f *testing.F) {
	for _, raw := range oddRows {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		dec := newDecoder(strings.NewReader(string(raw)), maxReply)
		defer dec.free()
		row, err := dec.value()
		if err != nil {
			return
		}
		agrees(t, row, scanOf(string(row)))
	})
}

// The fingerprint changes with what tells of sessions, and with nothing else.
func TestFingerprint(t *testing.T) {
	row := func(change ...string) uint64 {
		columns := map[string]string{"I14": "1", "D09F08": "55", "D01F00": "5", "D01F18": "1795400000", "D09F18": "1"}
		for i := 0; i < len(change); i += 2 {
			columns[change[i]] = change[i+1]
		}
		var settings []string
		for name := range maps.Keys(columns) { // in any order
			settings = append(settings, fmt.Sprintf(`{%q:%q}`, name, columns[name]))
		}
		return scanOf(`{"AccountId":1,"Settings":[` + strings.Join(settings, ",") + `]}`).fingerprint
	}
	running := []string{"D01F00", "1", "D01F15", "1795431600", "D01F12", "600", "D01F04", "9"}
	unknown := []string{"D01F00", "1", "D01F18", "0", "D01F12", "600"}
	vault := []string{"I36", "100", "I37", "100"}
	with := func(of []string, change ...string) []string { return slices.Concat(of, change) }
	for _, test := range []struct {
		from, to []string
		same     bool
	}{
		{nil, []string{"I14", "2"}, true}, {nil, []string{"D09F08", "58"}, true}, {nil, []string{"D02F00", "0"}, true},
		{nil, []string{"D09F18", "2"}, true}, {nil, []string{"D01F07", "3"}, true}, {nil, []string{"D02F06", ""}, true},
		{nil, []string{"D01F00", "8"}, false}, {nil, []string{"D01F18", "1795400001"}, false}, {nil, []string{"D02F00", "1"}, false},
		{nil, []string{"D01F05", "1"}, false}, {nil, []string{"D01F06", "1"}, false}, {nil, running, false},
		// While it runs its counters tick.
		{running, with(running, "D01F12", "900", "D01F04", "10", "D01F06", "1"), true},
		{running, with(running, "D01F15", "1795431601"), false}, {running, with(running, "D01F17", "8"), false},
		{running, with(running, "D01F00", "9"), false}, {running, with(running, "D01F00", "5"), false},
		{running, with(running, "D02F12", "900"), false}, // those of another data source are no counters of its own
		// The copy in the cloud catches up with one beside the device, where there is one.
		{vault, with(vault, "I36", "50"), false}, {vault, with(vault, "I37", "50"), false}, {vault, with(vault, "I36", "-1"), true},
		{with(vault, "I36", "50"), with(vault, "I36", "51"), true}, {nil, []string{"I36", "50"}, true},
		// Without a time there is nothing else to tell sessions apart by.
		{unknown, with(unknown, "D01F12", "5"), false},
	} {
		if (row(test.from...) == row(test.to...)) != test.same {
			t.Errorf("%v and %v: same is not %v", test.from, test.to, test.same)
		}
	}
	// It is kept in ledgers.
	if got := row(); got != 0xdd21c3effeb8f818 {
		t.Errorf("another fingerprint than before: %#x", got)
	}
	for raw, want := range map[string]uint64{
		`{"AccountId":1,"Settings":null}`: 0, `{"AccountId":1,"Settings":[{"I1":null}]}`: 0, `{"AccountId":1,"Settings":[{"I1":"x"}]}`: 1,
	} {
		if got := scanOf(raw).fingerprint; got != want {
			t.Errorf("%s: %d", raw, got)
		}
	}
}
