package deliver

import (
	"strings"
	"testing"
	"time"

	"covebridge/bridge/backup"
)

// A mailbox that throttles is asked with one mail, at growing distances, and no
// mail is the worse for it.
func TestThrottled(t *testing.T) {
	for _, connections := range []int{1, 4} {
		with(t, func(r *rig) {
			r.Deliverer = r.deliverer(r.out, connections)
			r.store.put("d", 465, backup.Failed)
			r.box.reply = always(absent)
			stop := r.start()
			time.Sleep(6 * time.Hour)
			r.wantStates(0, 465, 0, 0)
			deliveries, mails := r.box.tries()
			if deliveries < 70 || deliveries > 130 || mails > deliveries+31*connections {
				t.Errorf("%d deliveries of %d mails in 6 hours", deliveries, mails)
			}
			if n := r.store.counted(); n > 0 {
				t.Errorf("%d refusals were counted", n)
			}
			if lines := r.log.alarms(); len(lines) < 6 || len(lines) > 7 {
				t.Errorf("%d lines in 6 hours: %q", len(lines), lines)
			}
			r.box.set(func(b *box) { b.reply = nil })
			time.Sleep(5*time.Minute + time.Second)
			r.want("d", 465)
			if len(r.Findings.Current()) > 0 || len(r.log.with("over: the mailbox")) != 1 {
				t.Errorf("got %+v", r.Findings.Current())
			}
			stop()
		})
	}
}

// A mailbox that refuses everything is ill, and no mail is bad for it.
func TestRefusesEverything(t *testing.T) {
	for _, n := range []int{3, 465} {
		with(t, func(r *rig) {
			r.store.put("d", n, backup.Warning)
			r.box.reply = always(refuses)
			stop := r.start()
			time.Sleep(30 * time.Hour)
			r.wantStates(0, n, 0, 0)
			if n := r.store.counted(); n > 0 {
				t.Errorf("%d refusals were counted", n)
			}
			if _, mails := r.box.tries(); mails > 3*12*31+465 {
				t.Errorf("%d mails were tried in 30 hours", mails)
			}
			if lines := r.log.with("msg=delivered"); len(lines) > 0 {
				t.Errorf("got %q", lines)
			}
			if f := r.Findings.Current(); len(f) != 1 || !strings.Contains(f[0].What, "takes no others") || f[0].Remedy != "look at the server" || time.Since(f[0].Since) < 29*time.Hour {
				t.Errorf("got %+v", f)
			}
			r.box.set(func(b *box) { b.reply = nil })
			time.Sleep(maxPause + 10*time.Second)
			r.want("d", n)
			stop()
		})
	}
}

// After an outage, bad mails in front of the good ones hold nobody up.
func TestPoisonAfterOutage(t *testing.T) {
	with(t, func(r *rig) {
		r.store.put("bad", 80, backup.Failed)
		r.store.put("good", 500, backup.Success)
		r.box.reply = always(absent)
		stop := r.start()
		time.Sleep(6 * time.Hour)
		r.box.set(func(b *box) { b.reply = bad(refuses) })
		time.Sleep(maxPause + time.Second)
		r.want("good", 500)
		stop()
	})
}

// More bad mails than a mailbox may refuse in a row delay the good ones, for it
// is asked with one mail; but it is asked with the likeliest.
func TestProbeIsOfAnotherKind(t *testing.T) {
	with(t, func(r *rig) {
		r.store.put("bad", 140, backup.Failed)
		r.store.put("good", 20, backup.Success)
		r.box.reply = bad(refuses)
		r.during(time.Minute)
		r.want("good", 20)
	})
}

// How long a server wants to be left alone is honoured, within 5 minutes.
func TestRetryAfter(t *testing.T) {
	for asked, want := range map[time.Duration]time.Duration{
		299 * time.Second: 299 * time.Second,
		time.Hour:         5 * time.Minute,
	} {
		with(t, func(r *rig) {
			r.store.put("d", 100, backup.Success)
			r.box.retry = asked
			r.box.reply = always(absent)
			stop := r.start()
			time.Sleep(want - time.Second)
			if n, _ := r.box.tries(); n != 1 {
				t.Errorf("%d deliveries within %s", n, want)
			}
			r.box.set(func(b *box) { b.reply = nil })
			time.Sleep(2 * time.Second)
			r.want("d", 100)
			stop()
		})
	}
}

// While the mailbox is away, mails that are queued cost the ledger no look.
func TestNoLooksWhileIll(t *testing.T) {
	with(t, func(r *rig) {
		r.store.put("d", 100, backup.Success)
		r.box.retry = 5 * time.Minute
		r.box.reply = always(absent)
		stop := r.start()
		time.Sleep(time.Second)
		takes, dues := r.out.called("take"), r.out.called("due")
		for i := range 1000 {
			r.store.queue("new", i, backup.Success)
			r.Wake()
			time.Sleep(100 * time.Millisecond)
		}
		if r.out.called("take") != takes || r.out.called("due") != dues {
			t.Errorf("%d takes and %d looks at what is due", r.out.called("take")-takes, r.out.called("due")-dues)
		}
		stop()
	})
}
