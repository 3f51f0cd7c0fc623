package torture

import (
	"database/sql"
	"os/exec"
	"sync"
	"testing"
	"time"

	"covebridge/bridge/internal/dovecot"
	"covebridge/bridge/internal/pgtest"
	"covebridge/bridge/ledger"
)

// The program is killed again and again, at any moment of its life: nothing is
// missing, nothing comes twice.
func TestTortureKill(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		killing(t, ledger.Options{}, 1, times(12, 500))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		killing(t, ledger.Options{Postgres: pgtest.URL(t)}, 3, times(12, 500))
	})
}

// killing kills so many times, some of several bridges at a time.
func killing(t *testing.T, where ledger.Options, bridges, kills int) {
	server := dovecot.Start(t, dovecot.Options{})
	r := newRig(t, where, imap(server.Addr, server))
	stop := r.flow()
	tally := &tally{hit: map[ledger.State]int{}}
	for tally.kills < kills {
		var lives sync.WaitGroup
		for range bridges {
			lives.Go(func() {
				for range 2 {
					cmd := r.run()
					time.Sleep(r.dice.moment())
					kill(cmd)
					tally.add(r)
				}
			})
		}
		lives.Wait()
		if before := tally.kills - 2*bridges; tally.kills/50 > before/50 {
			t.Logf("%d kills; mails were %s", tally.kills, states(tally.hit))
		}
		r.minute()
	}
	stop()
	until := r.sim.Now()
	r.sim.Advance(3 * time.Hour)
	r.quiet()
	t.Logf("%d kills; mails were %s of %d looks", tally.kills, states(tally.hit), tally.looks)
	r.once(server, start, until)
}

// tally counts kills and what they left.
type tally struct {
	mu           sync.Mutex
	kills, looks int
	hit          map[ledger.State]int // looks that saw mails in this state
}

// add looks at what a kill left, now and then: the program, not the test, is to
// be the first to open what was left.
func (c *tally) add(r *rig) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kills++
	if !r.dice.oneIn(3) {
		return
	}
	c.looks++
	for state, n := range r.counts() {
		if n > 0 {
			c.hit[state]++
		}
	}
}

// minute lets the leases of bridges that are all dead run out, as a minute would.
func (r *rig) minute() {
	r.Helper()
	if r.where.Postgres == "" {
		return
	}
	db, err := sql.Open("pgx", r.where.Postgres)
	if err != nil {
		r.Fatal(err)
	}
	defer db.Close()
	for _, table := range []string{"entries", "leases"} {
		if _, err := db.Exec("UPDATE "+table+" SET lease_until = lease_until - $1 WHERE lease_until > 0", ledger.LeaseTime.Microseconds()); err != nil {
			r.Fatal(err)
		}
	}
}

// powerCut kills all bridges at once and starts them again after a minute.
func (r *rig) powerCut(running []*exec.Cmd) {
	r.Helper()
	for _, cmd := range running {
		kill(cmd)
	}
	r.minute()
	for i := range running {
		running[i] = r.run()
	}
}
