package ledger

import (
	"strings"
	"testing"

	"covebridge/bridge/backup"
)

// TestPlans: what is found by reading whole tables, or sorted, gets slower with
// every mail ever sent or waiting. What runs at every poll and every batch goes
// by an index.
func TestPlans(t *testing.T) {
	l := sqlitePlace(t).open(t)
	fill(t, l, 100, 50) // every query of the way runs once, so that it is known
	ids := take(t, l, 8)
	if lost, err := l.Begin(t.Context(), ids, "1:1"); err != nil || lost != nil {
		t.Fatal(lost, err)
	}
	record(t, l, sent(ids[0], "x"), refused(ids[1], 0), failed(ids[2], "no"))
	must(t, l.Release(t.Context()))
	must(t, l.Prune(t.Context(), start))
	again := step(t, l, device(1), entry(device(1), 0, backup.Failed))
	_, err := l.Commit(t.Context(), []backup.Step{again})
	must(t, err)
	_, err = l.DueDevices(t.Context(), "msp", start, 9)
	must(t, err)
	_, _, err = l.NextDue(t.Context())
	must(t, err)
	_, err = l.ResendFailed(t.Context(), Query{})
	must(t, err)
	_, err = l.Entries(t.Context(), Query{Limit: 20})
	must(t, err)
	_, err = l.Entries(t.Context(), Query{State: backup.EntryFailed, Limit: 20})
	must(t, err)

	page := Query{Limit: 20, Before: Cursor{start, "cove-1"}}
	for _, q := range []Query{page, {State: backup.EntryFailed, Limit: 20, Before: page.Before}, {Device: "cove-1", Limit: 20, Before: page.Before},
		{Status: new(backup.Status), Customer: "Acme", Limit: 20, Before: page.Before}} {
		_, err = l.Entries(t.Context(), q)
		must(t, err)
	}
	_, err = l.DevicesAfter(t.Context(), "cove-1", 20)
	must(t, err)

	must(t, l.PutReport(t.Context(), "well"))
	_, err = l.Bridges(t.Context())
	must(t, err)
	_, err = l.Backlog(t.Context(), start)
	must(t, err)
	must(t, l.Ended(t.Context(), start, func(Ended) {}))

	seen := 0
	for _, s := range []*statements{l.writer, l.reader} {
		for query := range s.ready {
			seen++
			for _, detail := range plan(t, l, query) {
				scan := strings.HasPrefix(detail, "SCAN") && !strings.Contains(detail, "USING")
				if detail == "SCAN CONSTANT ROW" || detail == "SCAN openings" || detail == "SCAN one" { // of one row
					scan = false
				}
				if strings.Contains(query, "FROM bridges") { // a handful
					continue
				}
				if strings.Contains(query, "owner <> ''") { // once, in Hold
					scan = false
				}
				if scan || strings.Contains(detail, "TEMP B-TREE") {
					t.Errorf("%s:\n%s", detail, query)
				}
			}
		}
	}
	if seen < 25 {
		t.Errorf("only %d queries were looked at", seen)
	}
	for query, index := range map[string]string{worstFirst: "queues_worst", oldestFirst: "queues_oldest"} {
		if details := strings.Join(plan(t, l, query), "\n"); !strings.Contains(details, index) {
			t.Errorf("%s\n%s", query, details)
		}
	}
}

// plan gives how SQLite answers the query, a line for each table.
func plan(t *testing.T, l *Ledger, query string) (details []string) {
	t.Helper()
	args := make([]any, strings.Count(query, "$"))
	for i := range args {
		args[i] = 1
	}
	for n := len(args); n > 0 && !strings.Contains(query, "$"+string(rune('0'+n%10))) && n < 10; n-- {
		args = args[:n-1]
	}
	rows, err := l.writer.db.Query("EXPLAIN QUERY PLAN "+query, args...)
	if err != nil {
		t.Fatalf("%v: %s", err, query)
	}
	defer rows.Close()
	for rows.Next() {
		var id, parent, unused int
		var detail string
		must(t, rows.Scan(&id, &parent, &unused, &detail))
		details = append(details, detail)
	}
	must(t, rows.Err())
	return details
}
