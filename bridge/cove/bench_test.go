package cove

import (
	"fmt"
	"strings"
	"testing"
)

// A page of 250 devices, with all columns of four data sources each.
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
	for b.Loop() {
		var p page
		if _, _, err := readEnvelope(strings.NewReader(text), p.read); err != nil {
			b.Fatal(err)
		}
		for _, r := range p.rows {
			c.snapshot(r, testNow, nil)
		}
	}
}
