package ledger

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"covebridge/bridge/backup"
)

func TestEntries(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		l := p.open(t)
		a, b, c := entry(device(1), time.Hour, backup.Success), entry(device(1), 2*time.Hour, backup.Failed), entry(device(2), 3*time.Hour, backup.Warning)
		failed := backup.Failed
		b.State, b.Reason, b.Mail = backup.EntryFiltered, "statuses", nil
		c.Account, c.Run.Device.Customer = "other", "Büro 100% Ä_B"
		c.Run.Kind = backup.Silence
		commit(t, l, a, b, c)
		for _, test := range []struct {
			name string
			q    Query
			want []backup.Entry
		}{
			{"all", Query{}, []backup.Entry{c, b, a}},
			{"two", Query{Limit: 2}, []backup.Entry{c, b}},
			{"device", Query{Device: "cove-1"}, []backup.Entry{b, a}},
			{"account", Query{Account: "other"}, []backup.Entry{c}},
			{"state", Query{State: backup.EntryFiltered}, []backup.Entry{b}},
			{"kind", Query{Kind: backup.Silence}, []backup.Entry{c}},
			{"since", Query{Since: start.Add(2 * time.Hour)}, []backup.Entry{c, b}},
			{"until", Query{Until: start.Add(2 * time.Hour)}, []backup.Entry{a}},
			{"name", Query{Text: "SRV01"}, []backup.Entry{b, a}},
			{"umlaut", Query{Text: "BÜRO"}, []backup.Entry{c}},
			{"wildcards are none", Query{Text: "v0%"}, nil},
			{"wildcards", Query{Text: "% ä_"}, []backup.Entry{c}},
			{"customer", Query{Customer: "büro 100% ä_b"}, []backup.Entry{c}},
			{"a customer's beginning", Query{Customer: "büro"}, nil},
			{"a customer's end", Query{Customer: "ä_b"}, nil},
			{"status", Query{Status: &failed}, []backup.Entry{b}},
			{"success is a status too", Query{Status: new(backup.Status)}, []backup.Entry{a}},
			{"behind the first", Query{Before: Cursor{c.Run.End, c.Run.ID}}, []backup.Entry{b, a}},
			{"behind the second", Query{Before: Cursor{b.Run.End, b.Run.ID}, Text: "srv01"}, []backup.Entry{a}},
			{"before that id", Query{Before: Cursor{b.Run.End, b.Run.ID + "0"}}, []backup.Entry{b, a}},
			{"behind all", Query{Before: Cursor{a.Run.End, a.Run.ID}}, nil},
			{"both", Query{Text: "srv01", State: backup.EntryQueued}, []backup.Entry{a}},
		} {
			found, err := l.Entries(t.Context(), test.q)
			must(t, err)
			var got, want []string
			for _, e := range found {
				got = append(got, e.Run.ID)
				if e.Mail != nil {
					t.Error("lists read mails")
				}
			}
			for _, e := range test.want {
				want = append(want, e.Run.ID)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: %s", test.name, diff)
			}
		}
	})
}

func TestFind(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		l := p.open(t)
		commit(t, l, entry(device(1), time.Hour, backup.Success), entry(device(12), time.Hour, backup.Success))
		id := entry(device(1), time.Hour, backup.Success).Run.ID
		for _, name := range []string{id, "cove-1-", id + "@covebridge", "<" + id + "@covebridge>"} {
			if e := get(t, l, name); e.Run.ID != id {
				t.Errorf("%s: found %s", name, e.Run.ID)
			}
		}
		for name, want := range map[string]error{"cove-1": ErrAmbiguous, "cove-3": ErrUnknown, "": ErrUnknown, "%": ErrUnknown, "<>": ErrUnknown} {
			if _, _, err := l.Entry(t.Context(), name); !errors.Is(err, want) {
				t.Errorf("%q: %v", name, err)
			}
		}
	})
}
