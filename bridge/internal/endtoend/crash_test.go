//go:build linux

package endtoend

import (
	"bytes"
	"cmp"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"covebridge/bridge/covesim"
)

var (
	torture  = os.Getenv("COVEBRIDGE_TORTURE") == "1"
	nthPoint = flag.Int("point", 0, "of the crash points only the nth call of each name")
	every    = flag.Int("every", 1, "of the crash points only each so many")
)

// The program is killed at every call that touches disk or network, and each
// of these calls fails once; a second start brings what is missing, and nothing
// twice. Two rounds: the first start, and one a day later. To see one point:
//
//	COVEBRIDGE_TORTURE=1 go test ./bridge/internal/endtoend -v -run 'TestTortureCrash/sqlite_dovecot/first/kill/fsync' -point 17
func TestTortureCrash(t *testing.T) {
	needStrace(t)
	for name, c := range map[string]struct {
		ledger  func(testing.TB) crashLedger
		mailbox func(testing.TB) crashMailbox
	}{
		"sqlite directory":   {inSQLite, inDirectory},
		"sqlite dovecot":     {inSQLite, inDovecot},
		"postgres directory": {inPostgres, inDirectory},
		"postgres dovecot":   {inPostgres, inDovecot},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newCrashWorld(t, c.ledger(t), c.mailbox(t))
			w.round("first")
			w.later()
			w.round("later")
		})
	}
}

// crashWorld is an installation as it was before a run that is then made again
// and again, with something going wrong each time.
type crashWorld struct {
	*testing.T
	site    *site
	ledger  crashLedger
	mailbox crashMailbox
	want    []arrival // of an undisturbed run, in order
	points  []point
	runs    int // so far, for names
	dice    *rand.Rand
}

// arrival is a mail in a mailbox.
type arrival struct {
	id, device string
	end        time.Time
	bytes      []byte
}

// smallFleet has a day's runs, of servers, workstations and a tenant.
var smallFleet = covesim.Options{Seed: 1, Devices: 5, Start: noon, Without: covesim.AllQuirks}

func newCrashWorld(t *testing.T, l crashLedger, m crashMailbox) *crashWorld {
	w := &crashWorld{T: t, ledger: l, mailbox: m, dice: rand.New(rand.NewPCG(1, 1))}
	w.site = bareSite(t, smallFleet)
	w.peace()
	return w
}

// later moves to the day after: what the undisturbed run left is what each run
// finds.
func (w *crashWorld) later() {
	w.Helper()
	before := w.want
	w.site.sim.Advance(24 * time.Hour)
	w.peace()
	var all [][]byte
	for _, a := range slices.Concat(before, w.want) {
		all = append(all, a.bytes)
	}
	w.site.agree(all) // what is compared with is what happened
}

// peace runs the program undisturbed, to know its calls and its mails.
func (w *crashWorld) peace() {
	w.Helper()
	a := w.attempt()
	defer a.close()
	r := a.strace("-e", traced(calls...))
	if r.hung || panicked(r.out) {
		w.Fatalf("%s\n%s", r.command, r.out)
	}
	w.want, w.points = w.mailbox.take(a.site), r.points()
	if len(w.want) < 10 || len(w.points) < 100 {
		w.Fatalf("%d mails, %d points:\n%s", len(w.want), len(w.points), r.out)
	}
}

// tally counts what points came to.
type tally struct{ points, missed, lost, twice, disorder, altered, hung, panicked, waited int }

func (t tally) String() string {
	return fmt.Sprintf("%5d points, %d not reached; %d lost, %d twice, %d out of order, %d altered, %d hung, %d panicked; %d had to wait for another try",
		t.points, t.missed, t.lost, t.twice, t.disorder, t.altered, t.hung, t.panicked, t.waited)
}

// bad tells whether the point is a defect.
func (t tally) bad() bool { return t.lost+t.twice+t.disorder+t.altered+t.hung+t.panicked > 0 }

func (t *tally) add(o tally) {
	t.points += o.points
	t.missed += o.missed
	t.lost += o.lost
	t.twice += o.twice
	t.disorder += o.disorder
	t.altered += o.altered
	t.hung += o.hung
	t.panicked += o.panicked
	t.waited += o.waited
}

// some is how many points of a round are tried when there is little time.
const some = 4

// fate is what befalls the program at a point: kill or fail.
type fate struct {
	name string
	point
}

func (w *crashWorld) round(name string) {
	var fates []fate
	for _, p := range w.points {
		fates = append(fates, fate{"kill", p})
		if p.errno() != "" {
			fates = append(fates, fate{"fail", p})
		}
	}
	if !torture {
		w.dice.Shuffle(len(fates), func(i, k int) { fates[i], fates[k] = fates[k], fates[i] })
		fates = fates[:some]
	}
	w.inside(name, func() {
		for _, what := range []string{"kill", "fail"} {
			w.inside(what, func() {
				for _, call := range calls {
					of := slices.DeleteFunc(slices.Clone(fates), func(f fate) bool {
						return f.name != what || f.call != call || *nthPoint > 0 && f.n != *nthPoint || f.n%*every != 0
					})
					if len(of) > 0 {
						w.inside(call, func() { w.strikeAll(of) })
					}
				}
			})
		}
	})
}

// inside runs f as a test inside the one that runs.
func (w *crashWorld) inside(name string, f func()) {
	outer := w.T
	defer func() { w.T, w.site.TB = outer, outer }()
	outer.Run(name, func(t *testing.T) {
		w.T, w.site.TB = t, t
		f()
	})
}

func (w *crashWorld) strikeAll(fates []fate) {
	var sum tally
	for _, f := range fates {
		inject := f.kill()
		if f.name == "fail" {
			inject = f.fail()
		}
		sum.add(w.strike(f.point, inject))
	}
	w.Log(sum)
}

// strike runs the program into the point, then once more, and compares.
func (w *crashWorld) strike(p point, inject []string) (t tally) {
	w.Helper()
	a := w.attempt()
	defer a.close()
	r := a.strace(inject...)
	if r.hung {
		t.hung++
	}
	if panicked(r.out) {
		t.panicked++
	}
	injected := slices.ContainsFunc(r.lines, func(l string) bool { return strings.Contains(l, "(INJECTED)") })
	if !r.killed && !injected && !r.hung {
		return tally{missed: 1}
	}
	t.points++
	got := w.mailbox.take(a.site)
	said := w.restart(a, &got, &t)
	w.compare(got, &t)
	if t.bad() {
		w.Errorf("%s call %d: %v\nwas %s(%s\n%s\nfirst it said\n%s\nthen\n%s", p.call, p.n, t, p.call, p.args, r.command, r.out, said)
	}
	return t
}

// restart runs the program again in peace, adds the mails that came, and gives
// what it said. What failed is tried again after a while.
func (w *crashWorld) restart(a attempt, got *[]arrival, t *tally) (said string) {
	w.Helper()
	w.ledger.lapse(a.site)
	said, ok := a.again(t)
	*got = append(*got, w.mailbox.take(a.site)...)
	for waits := 0; !ok && waits < 3; waits++ {
		t.waited = 1
		w.ledger.pass(a.site, time.Hour)
		var more string
		more, ok = a.again(t)
		said += "an hour later\n" + more
		*got = append(*got, w.mailbox.take(a.site)...)
	}
	if len(*got) < len(w.want) {
		t.waited = 1
		said += "and then\n" + w.windowLater(a, got, t)
	}
	return said
}

// windowLater runs the program when a run window has passed on Cove's clock: a
// device that could not be looked at before may have ended its last session
// since, for all that is known, and waits for others.
func (w *crashWorld) windowLater(a attempt, got *[]arrival, t *tally) (said string) {
	w.Helper()
	later := bareSite(w, smallFleet)
	later.sim.Advance(w.site.sim.Now().Sub(noon) + 2*window)
	a.settings = later.settings
	a.configure(a.lines)
	said, _ = a.again(t)
	for _, m := range w.mailbox.take(a.site) {
		if !m.end.After(w.site.sim.Now()) { // others ended meanwhile
			*got = append(*got, m)
		}
	}
	return said
}

func (w *crashWorld) compare(got []arrival, t *tally) {
	count, last := map[string]int{}, map[string]time.Time{}
	for _, g := range got {
		count[g.id]++
		if g.end.Before(last[g.device]) {
			t.disorder = 1
		}
		last[g.device] = g.end
		i := slices.IndexFunc(w.want, func(a arrival) bool { return a.id == g.id })
		if i < 0 || !bytes.Equal(w.want[i].bytes, g.bytes) {
			t.altered++
		}
		if count[g.id] == 2 {
			t.twice++
		}
	}
	for _, a := range w.want {
		if count[a.id] == 0 {
			t.lost++
			w.Logf("lost: %s, which ended at %s", a.id, a.end)
		}
	}
}

// attempt is one run's place: a folder, a ledger as it was, a mailbox that is
// empty.
type attempt struct {
	*site
	lines string // of the configuration
	close func()
}

func (w *crashWorld) attempt() attempt {
	w.Helper()
	w.runs++
	s := *w.site
	s.dir = filepath.Join(w.site.dir, fmt.Sprint("run", w.runs))
	if err := os.Mkdir(s.dir, 0o700); err != nil {
		w.Fatal(err)
	}
	place, dropLedger := w.ledger.restore(&s)
	delivery, dropMailbox := w.mailbox.make(&s)
	s.configure(delivery + place)
	return attempt{&s, delivery + place, func() {
		dropLedger()
		dropMailbox()
		os.RemoveAll(s.dir)
	}}
}

// again runs the program in peace and tells whether all went well.
func (a attempt) again(t *tally) (out string, ok bool) {
	a.Helper()
	ctx, cancel := context.WithTimeout(a.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "once")
	cmd.Dir, cmd.Env = a.dir, a.env
	var b bytes.Buffer
	cmd.Stdout, cmd.Stderr = &b, &b
	err := cmd.Run()
	if ctx.Err() != nil {
		t.hung++
	}
	if panicked(b.String()) {
		t.panicked++
	}
	return b.String(), err == nil
}

// sorted gives the mails in the order of their arrival.
func sorted(times map[string]time.Time, mails []arrival) []arrival {
	slices.SortFunc(mails, func(a, b arrival) int {
		return cmp.Or(times[a.id].Compare(times[b.id]), a.end.Compare(b.end))
	})
	return mails
}

// mailOf reads what tells of a mail's place among the others.
func mailOf(t testing.TB, id string, raw []byte) arrival {
	t.Helper()
	_, st, err := read(raw)
	if err != nil {
		t.Errorf("mail %s: %v", id, err)
	}
	return arrival{id: id, device: st.Job, end: st.End, bytes: raw}
}
