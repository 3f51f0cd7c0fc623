package collect_test

import (
	"fmt"
	"testing"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/collect"
)

func TestMayBeSilent(t *testing.T) {
	may := collect.MayBeSilent([]string{"documents*"}, []string{"*-test_*"})
	for _, c := range []struct {
		profile, name string
		want          bool
	}{{"Documents, weekly", "pc1", true}, {"Servers", "srv-test_1", true}, {"Servers", "srv01", false}, {"", "srv01", false}} {
		if got := may(backup.Device{Profile: c.profile, Name: c.name}); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

func TestSilence(t *testing.T) {
	w := newWorld(t, silence)
	w.device("1", "Files 01:00-01:30\nFiles 200:00-200:30")
	w.until("49:00")
	w.want("Success srv1")
	w.until("70:00")
	w.want("Success srv1", "Warning srv1 silence")
	w.until("160:00")
	w.want("Success srv1", "Warning srv1 silence", "Failed srv1 long-silence")
	w.until("250:00") // it spoke again, and fell silent again
	w.want("Success srv1", "Warning srv1 silence", "Failed srv1 long-silence", "Success srv1", "Warning srv1 silence")
}

func silence(o *collect.Options) {
	o.Rules.Silence = map[string]time.Duration{backup.Server: 48 * time.Hour}
}

// Devices that never had a session, or that nobody has used for weeks, are no
// news at a first start; one that fell silent lately is, once the limit has
// passed before our eyes.
func TestSilenceAtFirstStart(t *testing.T) {
	w := newWorld(t, silence)
	w.device("never", "")
	w.device("old", "Files 00:00-00:10\nFiles 800:00-800:10")
	w.device("late", "Files 300:00-300:10")
	p := w.jump("400:00")
	if p.Orphans != 2 {
		t.Errorf("%d orphans, want 2", p.Orphans)
	}
	w.want()
	w.until("449:00")
	w.want("Warning srvlate silence")
	w.until("900:00")
	w.want("Warning srvlate silence", "Failed srvlate long-silence", "Success srvold", "Warning srvold silence")
}

// A device that falls silent before our eyes is told of twice, and then no more,
// for weeks and over a restart: nobody uses it, as it seems. Should the ledger be
// lost then, it is an orphan to the new one, and nothing is told of its silence.
// Once it backs up again it is a device as any other, in both.
func TestOrphans(t *testing.T) {
	const weeks = "Files 01:00-01:30\nFiles 1000:00-1000:30\nFiles 1100:00-1100:30"
	w := newWorld(t, silence)
	w.device("1", weeks)
	silent := []string{"Success srv1", "Warning srv1 silence", "Failed srv1 long-silence"}
	w.until("146:00")
	w.want(silent...)
	w.until("500:00")
	w.restart()
	w.until("900:00")
	w.want(silent...)
	if due := w.records["acme-1"].due; !due.IsZero() {
		t.Errorf("it is looked at again at %v", due)
	}

	lost := newWorld(t, silence)
	lost.device("1", weeks)
	if p := lost.jump("900:00"); p.Orphans != 1 {
		t.Errorf("%d orphans, want 1", p.Orphans)
	}
	lost.until("1049:00")
	lost.want("Success srv1", "Warning srv1 silence")
	lost.until("1300:00")
	lost.want("Success srv1", "Warning srv1 silence", "Success srv1", "Warning srv1 silence", "Failed srv1 long-silence")

	w.until("1300:00")
	w.want(append(silent, "Success srv1", "Warning srv1 silence", "Success srv1", "Warning srv1 silence", "Failed srv1 long-silence")...)
}

// A device that Cove does not show for weeks is gone, not silent. When it is
// shown again, its silence is that since its last backup, told of once.
func TestGoneForWeeks(t *testing.T) {
	w := newWorld(t, silence)
	w.device("1", "Files 01:00-01:30\nFiles 700:00-700:30")
	for i := range 4 { // the others stay: all gone at once would rather be rights that changed
		w.device(fmt.Sprint(i+2), "")
	}
	w.until("20:00")
	all := w.devices
	w.devices = all[1:]
	w.until("600:00")
	silences := func() (n int) {
		for _, e := range w.queued() {
			if e.Run.Device.ID == "1" && e.Run.Kind != backup.Whole {
				n++
			}
		}
		return n
	}
	if n := silences(); n != 0 {
		t.Errorf("told of %d times while it was gone", n)
	}
	w.devices = all
	w.until("690:00")
	if n := silences(); n != 1 {
		t.Errorf("told of %d times once it was shown again, want 1", n)
	}
	w.until("740:00")
	if n := silences(); n != 1 {
		t.Errorf("told of %d times after it backed up again, want 1", n)
	}
	w.until("900:00")
	if n := silences(); n != 3 {
		t.Errorf("told of %d times after it fell silent again, want 3", n)
	}
}
