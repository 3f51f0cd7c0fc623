package cove

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"covebridge/bridge/internal/ratio"
)

// Reading a page of 250 devices, with all columns of four data sources each,
// beside what encoding/json takes to read it into maps.
func BenchmarkPage(b *testing.B) {
	var rows []string
	for id := range 250 {
		settings := []string{`{"I1":"device"}`, `{"I78":"D01D02D10D14"}`}
		for _, s := range []source{1, 2, 10, 14} {
			for _, f := range sessionFields {
				settings = append(settings, fmt.Sprintf(`{%q:"1795400000"}`, column(s, f)))
			}
		}
		rows = append(rows, fmt.Sprintf(`{"AccountId":%d,"PartnerId":5,"Settings":[%s]}`, id+1, strings.Join(settings, ",")))
	}
	text := `{"result":{"result":[` + strings.Join(rows, ",") + `]}}`
	c := (&fake{}).client()
	b.SetBytes(int64(len(text)))
	ratio.Of(b, "unmarshal", func() {
		var whole any
		if err := json.Unmarshal([]byte(text), &whole); err != nil {
			b.Fatal(err)
		}
	}, func() {
		var p page
		if _, _, err := readEnvelope(strings.NewReader(text), p.read); err != nil {
			b.Fatal(err)
		}
		for _, r := range p.rows {
			c.snapshot(r, testNow, nil)
		}
	})
}
