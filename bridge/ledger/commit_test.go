package ledger

import (
	"errors"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"covebridge/bridge/backup"
)

func TestLoad(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		l := p.open(t)
		d := device(1)
		d.CustomerPath, d.ColourBar = []string{"Top", "Acme BV"}, []backup.Day{{Date: "2026-03-01", Word: "Completed"}}
		want := backup.Record{Account: "msp", Fingerprint: 1<<63 + 7}
		want.Journal.Device, want.Journal.First, want.Journal.NoHistory = d, start, "node unreachable"
		if r, err := l.Load(t.Context(), d.Key()); err != nil || r.Version != 0 {
			t.Fatalf("unknown device: %+v, %v", r, err)
		}
		for version := range int64(3) {
			want.Version = version
			stale, err := l.Commit(t.Context(), []backup.Step{{Key: d.Key(), Record: want, Due: start.Add(time.Hour)}})
			if stale != nil || err != nil {
				t.Fatal(stale, err)
			}
			want.Version++
			got, err := l.Load(t.Context(), d.Key())
			must(t, err)
			if diff := gocmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		}
		seen := map[string]uint64{}
		must(t, l.Fingerprints(t.Context(), func(key, account string, fingerprint uint64) { seen[key+" "+account] = fingerprint }))
		if diff := gocmp.Diff(map[string]uint64{"cove-1 msp": 1<<63 + 7}, seen); diff != "" {
			t.Error(diff)
		}
	})
}

// TestCommitStale: two bridges look at one device at the same moment. One of
// them decides; the other one changes nothing and is told.
func TestCommitStale(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		l := p.open(t)
		first := []backup.Step{step(t, l, device(2)), step(t, l, device(1), entry(device(1), time.Hour, backup.Success))}
		second := []backup.Step{step(t, l, device(3)), step(t, l, device(2), entry(device(2), time.Hour, backup.Failed)), step(t, l, device(1))}
		second[1].Record.Journal.NoHistory = "of the second"
		if stale, err := l.Commit(t.Context(), first); stale != nil || err != nil {
			t.Fatal(stale, err)
		}
		stale, err := l.Commit(t.Context(), second)
		if diff := gocmp.Diff([]int{1, 2}, stale); diff != "" || err != nil {
			t.Error(err, diff)
		}
		if r, err := l.Load(t.Context(), device(2).Key()); err != nil || r.Version != 1 || r.Journal.NoHistory != "" {
			t.Errorf("the stale step was written: %+v, %v", r, err)
		}
		if r, err := l.Load(t.Context(), device(3).Key()); err != nil || r.Version != 1 {
			t.Errorf("the fresh step was not: %+v, %v", r, err)
		}
		if counts, err := l.Counts(t.Context()); err != nil || gocmp.Diff(map[backup.EntryState]int{backup.EntryQueued: 1}, counts) != "" {
			t.Errorf("counts %v, %v", counts, err)
		}
		// A version that was never given.
		ahead := step(t, l, device(4))
		ahead.Record.Version = 5
		if stale, err := l.Commit(t.Context(), []backup.Step{ahead}); err != nil || len(stale) != 1 {
			t.Errorf("a device that is gone: %v, %v", stale, err)
		}
	})
}

// TestManyBridgesCommit: bridges commit the same devices at the same time, in
// different orders. None waits for another in a circle, and each version is
// given once.
func TestManyBridgesCommit(t *testing.T) {
	p := postgresPlace(t)
	const bridges, devices, rounds = 4, 6, 15
	commits := make(chan int)
	for b := range bridges {
		l := p.open(t)
		go func() {
			n := 0
			for round := range rounds {
				var steps []backup.Step
				for i := range devices {
					d := device(i)
					r, err := l.Load(t.Context(), d.Key())
					if err != nil {
						t.Error(err)
					}
					r.Journal.Device = d
					e := entry(d, time.Duration(round*bridges+b)*time.Hour, backup.Success)
					steps = append(steps, backup.Step{Key: d.Key(), Record: r, Entries: []backup.Entry{e}})
				}
				if b%2 == 1 {
					slices.Reverse(steps)
				}
				stale, err := l.Commit(t.Context(), steps)
				if err != nil {
					t.Error(err)
				}
				n += devices - len(stale)
				if _, err := l.Take(t.Context(), 3); err != nil {
					t.Error(err)
				}
				must(t, l.Release(t.Context()))
			}
			commits <- n
		}()
	}
	total := 0
	for range bridges {
		total += <-commits
	}
	l := p.open(t)
	versions := 0
	for i := range devices {
		r, err := l.Load(t.Context(), device(i).Key())
		must(t, err)
		versions += int(r.Version)
	}
	counts, err := l.Counts(t.Context())
	if err != nil || versions != total || counts[backup.EntryQueued] != total {
		t.Errorf("%d committed, versions add up to %d, entries %v, %v", total, versions, counts, err)
	}
}

func TestCommitEntries(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		l := p.open(t)
		d := device(1)
		e := entry(d, time.Minute, backup.Failed)
		e.Run.Sessions = []backup.Session{{Source: backup.DataSource{Key: "D01", Name: "Files"}, State: backup.Ended, Start: start, End: start.Add(time.Minute),
			Errors: []backup.Error{{Text: "no access", File: "C:\\x", Count: 2}}}}
		e.Run.Remarks = []string{"a remark"}
		commit(t, l, e)
		got := get(t, l, e.Run.ID)
		if diff := gocmp.Diff(e.Run, got.Run); diff != "" {
			t.Error(diff)
		}
		if string(got.Mail) != string(e.Mail) || got.Account != "msp" || got.MessageID != e.MessageID || got.State != backup.EntryQueued {
			t.Errorf("entry %+v", got)
		}

		// A second time it is left as it is.
		other := e
		other.Mail, other.State, other.Reason = []byte("other"), backup.EntryFailed, "x"
		commit(t, l, other)
		if got := get(t, l, e.Run.ID); string(got.Mail) != string(e.Mail) || got.State != backup.EntryQueued {
			t.Errorf("what is stored was changed: %+v", got)
		}
		if n, err := l.Waiting(t.Context()); n != 1 || err != nil {
			t.Errorf("waiting %d, %v", n, err)
		}

		for i, state := range []backup.EntryState{backup.EntryFiltered, backup.EntryBaseline, backup.EntryFailed} {
			quiet := entry(device(2), time.Duration(i)*time.Hour, backup.Success)
			quiet.State, quiet.Reason, quiet.Mail = state, "because", nil
			commit(t, l, quiet)
			e, events, err := l.Entry(t.Context(), quiet.Run.ID)
			if err != nil || len(events) != 1 || events[0].What != string(state) || events[0].Detail != "because" || e.Mail != nil {
				t.Errorf("%s: %+v, %v", state, events, err)
			}
			if got, err := l.State(t.Context(), quiet.Run.ID); got != state || err != nil {
				t.Errorf("state %s, %v", got, err)
			}
		}

		// What can't be stored leaves nothing behind.
		before, err := l.Load(t.Context(), device(1).Key())
		must(t, err)
		for _, state := range []backup.EntryState{backup.EntrySending, backup.EntrySent, "", backup.EntryQueued} {
			bad := entry(device(3), 0, backup.Success)
			bad.State, bad.Mail = state, nil
			_, err := l.Commit(t.Context(), []backup.Step{step(t, l, d), step(t, l, device(3), bad)})
			if err == nil || errors.Is(err, ErrNoMail) != (state == backup.EntryQueued) {
				t.Errorf("began as %q without a mail: %v", state, err)
			}
		}
		if after, err := l.Load(t.Context(), d.Key()); err != nil || after.Version != before.Version {
			t.Errorf("half committed: version %d, %v", after.Version, err)
		}
	})
}
