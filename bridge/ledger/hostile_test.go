package ledger

import (
	"cmp"
	"strings"
	"testing"
	"time"

	"covebridge/bridge/backup"
)

// TestHostile: texts from outside hold anything. What comes in has to be stored,
// and found again, in both databases.
func TestHostile(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		l := p.open(t)
		for i, text := range []string{"nul \x00 nul", "bad \xff\xfe utf-8", "\xed\xa0\x80 surrogate", "a'; DROP TABLE entries; --", "$1 ? :x @y %s \\ \" `",
			"\r\nBcc: x", "日本語 🦆", strings.Repeat("unlike ", 1<<17), ""} {
			d := device(i)
			d.Name, d.Customer, d.ID = text, text, text+"x"
			s := step(t, l, d)
			s.Record.Journal.NoHistory = text
			e := entry(d, time.Minute, backup.Success)
			e.Run.Job = text
			e.Run.Sessions = []backup.Session{{Source: backup.DataSource{Key: text, Name: text}, Errors: []backup.Error{{Text: text, File: text, Count: 1}}}}
			name := text[:min(len(text), 1000)] // of what is not told by the product
			e.MessageID, e.Account = name, cmp.Or(name, "msp")
			s.Entries = []backup.Entry{e}
			_, err := l.Commit(t.Context(), []backup.Step{s})
			must(t, err)
			if len(take(t, l, 9)) != 1 {
				t.Fatalf("%.20q is not taken", text)
			}
			begin(t, l, e.Run.ID, text)
			o := cut(e.Run.ID)
			o.Detail = text
			record(t, l, o)
			take(t, l, 9)
			record(t, l, sent(e.Run.ID, text))
			if e := get(t, l, e.Run.ID); e.Receipt != clean(text) {
				t.Errorf("%.20q: receipt %.20q", text, e.Receipt)
			}
			must(t, l.SetValue(t.Context(), name, text))
			if v, err := l.Value(t.Context(), name); err != nil || v != clean(text) {
				t.Errorf("%.20q: value %.20q, %v", text, v, err)
			}
			if len(text) < 1000 {
				found, err := l.Entries(t.Context(), Query{Text: text, Account: e.Account, Device: d.Key()})
				if err != nil || len(found) != 1 {
					t.Errorf("%q: %d found, %v", text, len(found), err)
				}
			}
		}
	})
}
