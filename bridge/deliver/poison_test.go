package deliver

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/internal/realtest"
)

// Mails that are refused each time cost the others nothing, though they are
// taken first, and those of their devices a day.
func TestPoison(t *testing.T) {
	for _, poison := range []int{1, 5, 20, 40, 80}[:realtest.Raced(5, 3)] {
		t.Run(fmt.Sprint(poison), func(t *testing.T) {
			if testing.Short() && poison > 20 {
				t.Skip("long")
			}
			with(t, func(r *rig) {
				r.Deliverer = r.deliverer(r.out, 2)
				r.store.put("bad", poison, backup.Failed)
				r.store.queue("bad0", 1, backup.Success)
				r.store.put("good", 500, backup.Success)
				r.box.reply = func(id string) reply {
					if strings.HasPrefix(id, "bad") && id != "bad0-1" {
						return refuses
					}
					return takes
				}
				stop := r.start()
				time.Sleep(time.Second)
				r.want("good", 500)
				// The mailbox goes on taking some.
				for i := range 24 {
					time.Sleep(time.Hour)
					r.store.queue("good", 1000+i, backup.Success)
					r.wantStates(500+i, poison+2, 0, 0)
				}
				if f := r.Findings.Current(); len(f) != 1 || !strings.Contains(f[0].What, fmt.Sprintf("%d mails are refused", poison)) || f[0].Remedy == "" {
					t.Errorf("got %+v", f)
				}
				for i := range 2 {
					time.Sleep(time.Hour)
					r.store.queue("good", 2000+i, backup.Success)
				}
				time.Sleep(time.Minute)
				r.wantStates(500+24+2+1, 0, 0, poison)
				if e := r.store.get("bad0-0"); !strings.Contains(e.Reason, "a day") || !strings.Contains(e.Reason, "NO") {
					t.Errorf("given up for %q", e.Reason)
				}
				if _, mails := r.box.tries(); mails > 540+poison*50 {
					t.Errorf("%d mails were tried", mails)
				}
				if n := len(r.log.alarms()); n > 36 {
					t.Errorf("%d lines in %d hours:\n%s", n, 26, strings.Join(r.log.alarms(), ""))
				}
				stop()
			})
		})
	}
}

// What is too large is given up at once and holds nobody up.
func TestFinal(t *testing.T) {
	with(t, func(r *rig) {
		r.store.put("bad", 40, backup.Failed)
		r.store.queue("bad0", 1, backup.Success)
		r.store.put("good", 500, backup.Success)
		r.box.reply = func(id string) reply {
			if id == "bad0-1" {
				return takes
			}
			return bad(final)(id)
		}
		r.during(time.Second)
		r.wantStates(501, 0, 0, 40)
		if e := r.store.get("bad0-0"); !strings.Contains(e.Reason, "TOOBIG") {
			t.Errorf("given up for %q", e.Reason)
		}
		if lines := r.log.alarms(); len(lines) != 1 {
			t.Errorf("got %q", lines)
		}
		if f := r.Findings.Current(); len(f) != 1 || !strings.HasPrefix(f[0].What, "40 mails are given up") {
			t.Errorf("got %+v", f)
		}
	})
}

// A mail that cuts the connection each time costs the others a few seconds, and
// is told from those that it took along.
func TestBreaker(t *testing.T) {
	with(t, func(r *rig) {
		r.store.put("bad", 3, backup.Failed)
		r.store.put("good", 500, backup.Success)
		r.box.reply = bad(cuts)
		stop := r.start()
		time.Sleep(time.Minute)
		r.want("good", 500)
		for i := range 40 {
			r.store.queue("good", 1000+i, backup.Success)
			time.Sleep(time.Hour)
		}
		r.want("good", 540)
		r.wantStates(540, 0, 0, 3)
		stop()
	})
}

// A mail that can't be asked for holds up none of those that can.
func TestUnaskable(t *testing.T) {
	with(t, func(r *rig) {
		for i := range 40 {
			r.store.queue(fmt.Sprint("d", i), 0, backup.Failed).Doubt = true
		}
		r.store.put("good", 100, backup.Success)
		r.box.find = spoiledBy("d7-0")
		r.during(time.Second)
		r.want("d", 39)
		r.want("good", 100)
	})
}
