package ledger

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"covebridge/bridge/backup"
)

// model is the outbox as the rules tell it.
type model struct {
	now     time.Time
	waiting []*modelEntry
	flight  []*modelEntry
}

type modelEntry struct {
	id, device string
	end, next  time.Time
	status     backup.Status
	begun      bool
}

// take gives what Take has to answer.
func (m *model) take(n int) (ids []string) {
	type line struct {
		head  *modelEntry
		worst backup.Status
	}
	lines := map[string]*line{}
	for _, e := range m.waiting {
		l := lines[e.device]
		if l == nil {
			l = &line{head: e}
			lines[e.device] = l
		}
		if older(e, l.head) < 0 {
			l.head = e
		}
		l.worst = max(l.worst, e.status)
	}
	for _, e := range m.flight {
		delete(lines, e.device)
	}
	var ready []*line
	for _, l := range lines {
		if l.head.begun || !l.head.next.After(m.now) || l.head.next.After(m.now.Add(MaxBackoff)) {
			ready = append(ready, l)
		}
	}
	slices.SortFunc(ready, func(a, b *line) int { return cmp.Or(cmp.Compare(b.worst, a.worst), older(a.head, b.head)) })
	for _, l := range ready[:min(n, len(ready))] {
		ids = append(ids, l.head.id)
		m.waiting = slices.DeleteFunc(m.waiting, func(e *modelEntry) bool { return e == l.head })
		m.flight = append(m.flight, l.head)
	}
	return ids
}

func older(a, b *modelEntry) int { return cmp.Or(a.end.Compare(b.end), cmp.Compare(a.id, b.id)) }

// TestOrder does random things to an outbox and compares with the model.
func TestOrder(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		if p.SQLite != "" {
			p.SQLite = ":memory:" // nothing is written in vain
		}
		l := p.open(t)
		// The test's clock, for PostgreSQL too, and no lease ends by itself.
		l.dialect.clock, l.now = "", p.clock.Now
		if l.dialect.shared() {
			l.dialect.lease = 1e6 * time.Hour
		}
		rapid.Check(t, func(rt *rapid.T) {
			for _, table := range tables {
				l.sql(t, "DELETE FROM "+table)
			}
			clear(l.flight)
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
			e := entry(d, time.Duration(rapid.IntRange(0, 5).Draw(rt, "end"))*time.Hour, backup.Status(rapid.IntRange(0, 2).Draw(rt, "status")))
			serial++
			e.Run.ID += fmt.Sprintf("-%03d", serial)
			_, err := l.Commit(ctx, e)
			check(err)
			m.waiting = append(m.waiting, &modelEntry{id: e.Run.ID, device: d.Key(), end: e.Run.End, status: e.Run.Status})
		},
		"take": func(rt *rapid.T) {
			n := rapid.IntRange(1, 4).Draw(rt, "n")
			begun := map[string]bool{}
			for _, e := range m.waiting {
				begun[e.id] = e.begun
			}
			taken, err := l.Take(ctx, n)
			check(err)
			var ids []string
			for _, e := range taken {
				ids = append(ids, e.Run.ID)
				if begun[e.Run.ID] && !e.Doubt {
					rt.Fatalf("%s was begun and is not in doubt", e.Run.ID)
				}
			}
			if diff := gocmp.Diff(m.take(n), ids); diff != "" {
				rt.Fatalf("taken: -want +got\n%s", diff)
			}
		},
		"begin": func(rt *rapid.T) {
			e := inFlight(rt)
			m.flight = append(m.flight, e)
			check(l.Sending(ctx, e.id, "mark"))
			e.begun = true
		},
		"sent":    func(rt *rapid.T) { check(l.Sent(ctx, inFlight(rt).id, "")) },
		"refused": func(rt *rapid.T) { check(l.Refused(ctx, inFlight(rt).id, "no")) },
		"retry": func(rt *rapid.T) {
			e := inFlight(rt)
			after := time.Duration(rapid.IntRange(0, 90).Draw(rt, "minutes")) * time.Minute
			check(l.Retry(ctx, e.id, "cut", after, e.begun))
			e.next, e.begun = m.now.Add(min(after, MaxBackoff)), false
			m.waiting = append(m.waiting, e)
		},
		"crash": func(rt *rapid.T) {
			clear(l.flight)
			_, err := l.db.Exec("UPDATE entries SET lease_until = 0")
			check(err)
			m.waiting, m.flight = append(m.waiting, m.flight...), nil
		},
		"time": func(rt *rapid.T) {
			c.Add(time.Duration(rapid.IntRange(-180, 60).Draw(rt, "minutes")) * time.Minute)
			if m.now = c.Now(); m.now.Year() < 2000 {
				rt.Fatal("too far back")
			}
		},
		"": func(rt *rapid.T) { // Due agrees with what the model would let go
			wait, some, err := l.Due(ctx)
			check(err)
			look := *m
			look.waiting, look.flight = slices.Clone(m.waiting), slices.Clone(m.flight)
			now := len(look.take(1)) > 0
			if now != (some && wait == 0) {
				rt.Fatalf("due in %s, %v; ready now: %v", wait, some, now)
			}
		},
	}
}
