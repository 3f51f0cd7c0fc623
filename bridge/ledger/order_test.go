package ledger

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"covebridge/bridge/backup"
)

// TestOrder does random things to an outbox and compares with the model.
func TestOrder(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		if p.SQLite != "" {
			p.SQLite = ":memory:" // nothing is written in vain
		}
		l := p.opened(t)
		if l.dialect.shared() {
			l.dialect.lease = 1e6 * time.Hour // no lease ends by itself
		}
		rapid.Check(t, func(rt *rapid.T) {
			for _, table := range tables {
				l.sql(t, "DELETE FROM "+table)
			}
			clear(l.taken)
			l.rotation = 0
			m := &model{now: p.clock.Now()}
			rt.Repeat(l.actions(rt, m, p.clock))
		})
	})
}

func (l *Ledger) actions(rt *rapid.T, m *model, c *clock) map[string]func(*rapid.T) {
	ctx := context.Background()
	check := func(err error) {
		if err != nil {
			rt.Fatal(err)
		}
	}
	inFlight := func(rt *rapid.T) *modelEntry {
		if len(m.flight) == 0 {
			rt.Skip("nothing in flight")
		}
		i := rapid.IntRange(0, len(m.flight)-1).Draw(rt, "entry")
		e := m.flight[i]
		m.flight = slices.Delete(m.flight, i, i+1)
		return e
	}
	serial := 0
	return map[string]func(*rapid.T){
		"commit": func(rt *rapid.T) {
			d := device(rapid.IntRange(1, 4).Draw(rt, "device"))
			r, err := l.Load(ctx, d.Key())
			check(err)
			s := backup.Step{Key: d.Key(), Record: r}
			for range rapid.IntRange(1, 3).Draw(rt, "runs") {
				e := entry(d, time.Duration(rapid.IntRange(0, 5).Draw(rt, "end"))*time.Hour, backup.Status(rapid.IntRange(0, 2).Draw(rt, "status")))
				serial++
				e.Run.ID += fmt.Sprintf("-%03d", serial)
				s.Entries = append(s.Entries, e)
				m.waiting = append(m.waiting, &modelEntry{id: e.Run.ID, device: d.Key(), end: e.Run.End, status: e.Run.Status, created: m.now, mine: true})
			}
			stale, err := l.Commit(ctx, []backup.Step{s})
			check(err)
			if stale != nil {
				rt.Fatal("stale")
			}
		},
		"take": func(rt *rapid.T) {
			n := rapid.IntRange(1, 4).Draw(rt, "n")
			taken, err := l.Take(ctx, n)
			check(err)
			check(m.check(n, taken))
		},
		"begin": func(rt *rapid.T) {
			e := inFlight(rt)
			m.flight = append(m.flight, e)
			lost, err := l.Begin(ctx, []string{e.id}, "mark")
			check(err)
			if lost != nil {
				rt.Fatal("lost", lost)
			}
			e.begun, e.now, e.mine = true, true, true
		},
		"sent":   func(rt *rapid.T) { check(l.Record(ctx, []backup.Outcome{sent(inFlight(rt).id, "")})) },
		"failed": func(rt *rapid.T) { check(l.Record(ctx, []backup.Outcome{failed(inFlight(rt).id, "no")})) },
		"retry": func(rt *rapid.T) {
			e := inFlight(rt)
			after := time.Duration(rapid.IntRange(0, 90).Draw(rt, "minutes")) * time.Minute
			o := backup.Outcome{ID: e.id, State: backup.EntryQueued, After: after, Counts: rapid.Bool().Draw(rt, "counts")}
			check(l.Record(ctx, []backup.Outcome{o}))
			e.next, e.begun = m.now.Add(min(after, MaxBackoff)), false
			if o.Counts {
				e.attempts++
			}
			m.waiting = append(m.waiting, e)
		},
		"release": func(*rapid.T) {
			check(l.Release(ctx))
			var begun []*modelEntry
			for _, e := range m.flight {
				if e.now {
					begun = append(begun, e)
				} else {
					m.waiting = append(m.waiting, e)
				}
			}
			m.flight = begun
		},
		"crash": func(*rapid.T) {
			clear(l.taken)
			_, err := l.writer.db.Exec("UPDATE queues SET owner = 'dead', due = 1 WHERE owner <> ''")
			check(err)
			check(l.writer.db.QueryRow("UPDATE openings SET number = number + 1 RETURNING number").Scan(&l.opening))
			m.waiting, m.flight = append(m.waiting, m.flight...), nil
			for _, e := range m.waiting {
				e.mine = false
			}
		},
		"time": func(rt *rapid.T) {
			back := -180
			if l.dialect.shared() {
				back = 0 // with leases that never end, every step back would end one
			}
			c.Add(time.Duration(rapid.IntRange(back, 600).Draw(rt, "minutes")) * time.Minute)
			m.now = c.Now()
		},
		"": func(rt *rapid.T) { // NextDue and Waiting agree with the model
			wait, some, err := l.NextDue(ctx)
			check(err)
			if ready := len(m.lines()) > 0; ready && !(some && wait == 0) {
				rt.Fatalf("due in %s, %v; some are ready", wait, some)
			}
			if wait > MaxBackoff {
				rt.Fatalf("due in %s", wait)
			}
			n, err := l.Waiting(ctx)
			check(err)
			if want := len(m.waiting) + len(m.flight); n != want {
				rt.Fatalf("%d wait, want %d", n, want)
			}
			var wrong []string
			rows, err := l.writer.db.Query(`SELECT q.device FROM queues q WHERE q.worst <> (SELECT MAX(status) FROM entries e WHERE e.device = q.device AND ` + waiting + `)
				UNION ALL SELECT DISTINCT device FROM entries WHERE ` + waiting + ` AND device NOT IN (SELECT device FROM queues)`)
			check(err)
			defer rows.Close()
			for rows.Next() {
				var device string
				check(rows.Scan(&device))
				wrong = append(wrong, device)
			}
			if diff := gocmp.Diff([]string(nil), wrong); diff != "" {
				rt.Fatal("queues differ from their entries", diff)
			}
		},
	}
}

// TestNoStarvation: however many failures keep coming, what is not one moves on.
func TestNoStarvation(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		for _, n := range []int{1, 3, 16} {
			l := p.opened(t)
			serial := n * 1000
			add := func(status backup.Status, end time.Duration) string {
				serial++
				e := entry(device(serial), end, status)
				commit(t, l, e)
				return e.Run.ID
			}
			plain := map[string]bool{}
			for range 20 {
				plain[add(backup.Success, time.Hour)] = true
				add(backup.Failed, 2*time.Hour)
			}
			worst, all := 0, 0
			for all < 100 && len(plain) > 0 {
				for _, id := range take(t, l, n) {
					all++
					if plain[id] {
						delete(plain, id)
					} else {
						worst++
						add(backup.Failed, 2*time.Hour)
					}
					record(t, l, sent(id, "x"))
				}
			}
			if len(plain) > 0 || worst < 3*15 {
				t.Errorf("by %d: of %d taken %d were failures; %d others left", n, all, worst, len(plain))
			}
			for { // for the next
				ids := take(t, l, 64)
				if ids == nil {
					break
				}
				for _, id := range ids {
					record(t, l, sent(id, "x"))
				}
			}
			must(t, l.Close())
		}
	})
}
