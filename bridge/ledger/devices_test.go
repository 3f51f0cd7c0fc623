package ledger

import (
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"covebridge/bridge/backup"
)

func TestDueDevices(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		l := p.open(t)
		due := func(n int, account string, at time.Time) backup.Step {
			s := step(t, l, device(n))
			s.Record.Account, s.Due = account, at
			return s
		}
		_, err := l.Commit(t.Context(), []backup.Step{due(1, "a", start.Add(time.Hour)), due(2, "a", time.Time{}), due(3, "a", start),
			due(4, "b", start), due(5, "a", start.Add(time.Minute)), due(6, "a", start.Add(-time.Hour))})
		must(t, err)
		for _, test := range []struct {
			after time.Duration
			limit int
			want  string
		}{{0, 9, "cove-6 cove-3"}, {time.Minute, 9, "cove-6 cove-3 cove-5"}, {time.Minute, 2, "cove-6 cove-3"}, {24 * time.Hour, 9, "cove-6 cove-3 cove-5 cove-1"}} {
			keys, err := l.DueDevices(t.Context(), "a", start.Add(test.after), test.limit)
			if got := strings.Join(keys, " "); got != test.want || err != nil {
				t.Errorf("after %s: %s, %v; want %s", test.after, got, err, test.want)
			}
		}
		_, err = l.Commit(t.Context(), []backup.Step{due(3, "a", time.Time{}), due(6, "a", start.Add(time.Hour))})
		must(t, err)
		if keys, err := l.DueDevices(t.Context(), "a", start, 9); keys != nil || err != nil {
			t.Errorf("still due: %v, %v", keys, err)
		}
	})
}

func TestDevices(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		l := p.open(t)
		late := entry(device(0), 3*time.Hour, backup.Failed)
		late.Run.Kind = backup.Silence
		late.Run.ID += "-silence"
		commit(t, l, entry(device(0), time.Hour, backup.Success), entry(device(0), 2*time.Hour, backup.Warning), late)
		s := step(t, l, device(1))
		s.Record.Journal.NoHistory, s.Due = "no token", start.Add(time.Hour)
		_, err := l.Commit(t.Context(), []backup.Step{s})
		must(t, err)
		want := []DeviceStatus{
			{Device: device(0), Account: "msp", RunID: entry(device(0), 2*time.Hour, 0).Run.ID, State: backup.EntryQueued, Status: backup.Warning, End: start.Add(2 * time.Hour)},
			{Device: device(1), Account: "msp", NoHistory: "no token", Due: start.Add(time.Hour)},
		}
		all, err := l.Devices(t.Context())
		must(t, err)
		if diff := gocmp.Diff(want, all); diff != "" {
			t.Error(diff)
		}
		for after, want := range map[string]string{"": "cove-0", "cove-0": "cove-1", "cove-1": ""} {
			got := ""
			some, err := l.DevicesAfter(t.Context(), after, 1)
			must(t, err)
			for _, d := range some {
				got += d.Key()
			}
			if got != want {
				t.Errorf("after %q: %q, not %q", after, got, want)
			}
		}
	})
}
