package covesim

import (
	"encoding/json"
	"testing"
	"time"
)

func BenchmarkPage(b *testing.B) {
	s := New(Options{Devices: 50_000, Start: monday})
	columns := []string{"I0", "I1", "I8", "I18", "I32", "I59", "I78", "I6"}
	for _, d := range []string{"D01", "D02", "D10", "D19", "D20", "D09"} {
		for _, f := range []string{"F00", "F01", "F03", "F05", "F06", "F12", "F15", "F17", "F18"} {
			columns = append(columns, d+f)
		}
	}
	for name, query := range map[string]object{
		"all":    {"PartnerId": rootID, "StartRecordNumber": 25_000, "RecordsCount": 1000, "Columns": columns},
		"colour": {"PartnerId": rootID, "StartRecordNumber": 25_000, "RecordsCount": 1000, "Columns": append(columns, "D09F08")},
		"TS":     {"PartnerId": rootID, "RecordsCount": 5000, "Columns": columns, "Filter": "TS > 1.hours().ago()"},
	} {
		params, _ := json.Marshal(object{"query": query})
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := s.statistics(&call{Params: params, now: monday.Add(time.Hour)}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		New(Options{Devices: 50_000, Start: monday})
	}
}
