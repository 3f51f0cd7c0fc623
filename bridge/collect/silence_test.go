package collect_test

import (
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
