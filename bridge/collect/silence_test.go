package collect_test

import (
	"testing"

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
