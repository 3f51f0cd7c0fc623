package ledger

import (
	"fmt"
	"strings"
	"testing"

	"covebridge/bridge/backup"
	"covebridge/bridge/internal/ratio"
)

// BenchmarkTake takes 8 of so many waiting entries, and gives them back, beside
// storing one small fact: what a mail costs the ledger in any case.
func BenchmarkTake(b *testing.B) {
	places := map[string]func(testing.TB) place{"sqlite": sqlitePlace, "postgres": postgresPlace}
	for _, name := range []string{"sqlite", "postgres"} {
		for _, size := range []struct{ entries, devices int }{{500, 50}, {50000, 50}, {50000, 1000}, {50000, 50000}} {
			b.Run(fmt.Sprintf("%s/entries=%d/devices=%d", name, size.entries, size.devices), func(b *testing.B) {
				l := places[name](b).open(b)
				fill(b, l, size.entries, size.devices)
				ratio.Of(b, "fact", func() { must(b, l.SetValue(b.Context(), "fact", "x")) }, func() {
					taken, err := l.Take(b.Context(), 8)
					if err != nil || len(taken) != 8 {
						b.Fatal(len(taken), err)
					}
					must(b, l.Release(b.Context()))
				})
			})
		}
	}
}

// fill queues entries of ordinary size, and some that were sent.
func fill(b testing.TB, l *Ledger, entries, devices int) {
	b.Helper()
	commit(b, l, entry(device(0), 0, backup.Success))
	l.sql(b, "UPDATE entries SET mail = $1", []byte(strings.Repeat("mail", 1000)))
	columns := "account, kind, reason, message_id, doubt, mark, receipt, attempts, next, owner, lease_until, created, updated, words, mail, run"
	l.sql(b, fmt.Sprintf(`INSERT INTO entries (id, device, status, ended, state, %s)
		WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
		SELECT 'run-' || i, 'cove-' || (i %% %d), CASE WHEN i %% 7 = 0 THEN 2 WHEN i %% 7 = 1 THEN 1 ELSE 0 END, ended + CAST(i AS BIGINT) * 1000000,
			CASE WHEN i %% 10 = 0 THEN 'sent' ELSE 'queued' END, %s
		FROM n, entries WHERE id LIKE 'cove-0-%%'`, columns, entries, devices, columns))
	l.sql(b, "DELETE FROM entries WHERE id LIKE 'cove-0-%'")
	l.sql(b, "ANALYZE")
}

// TestTakePlan: what is found by reading whole tables gets slower with every
// mail ever sent.
func TestTakePlan(t *testing.T) {
	l := sqlitePlace(t).open(t)
	fill(t, l, 2000, 100)
	rows, err := l.db.Query("EXPLAIN QUERY PLAN SELECT h.id"+heads+dueNow+" ORDER BY q.worst DESC, h.ended, h.id LIMIT 8", 0, 0)
	must(t, err)
	defer rows.Close()
	for rows.Next() {
		var id, parent, unused int
		var detail string
		must(t, rows.Scan(&id, &parent, &unused, &detail))
		t.Log(detail)
		if strings.HasPrefix(detail, "SCAN") && !strings.Contains(detail, "USING COVERING INDEX entries_waiting") && detail != "SCAN q" {
			t.Errorf("reads everything: %s", detail)
		}
	}
	must(t, rows.Err())
}
