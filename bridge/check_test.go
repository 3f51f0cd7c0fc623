package bridge_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"covebridge/bridge"
	"covebridge/bridge/backup"
	"covebridge/bridge/collect"
	"covebridge/bridge/covesim"
	"covebridge/bridge/ledger"
	"covebridge/bridge/mailbox"
)

// listingSource is an account that shows these devices, and answers what is not in
// silent.
type listingSource struct {
	collect.Source
	devices []backup.Snapshot
	silent  string // "check", "devices" or "sessions"
	ended   error  // of sessions
}

func (s listingSource) Name() string { return "acme" }

func (s listingSource) Check(ctx context.Context) (string, error) {
	return "acme: logged in", s.wait(ctx, "check")
}

func (s listingSource) Devices(ctx context.Context, _ backup.Selection, yield func(backup.Row) error) error {
	for _, d := range s.devices {
		if err := yield(snapshotRow(d)); err != nil {
			return err
		}
	}
	return s.wait(ctx, "devices")
}

func (s listingSource) Sessions(ctx context.Context, _ backup.Device, _, _ time.Time) ([]backup.Session, error) {
	if s.ended != nil {
		return nil, s.ended
	}
	return make([]backup.Session, 3), s.wait(ctx, "sessions")
}

func (s listingSource) wait(ctx context.Context, at string) error {
	if s.silent != at {
		return nil
	}
	<-ctx.Done()
	return fmt.Errorf("ask: %w", ctx.Err())
}

type snapshotRow backup.Snapshot

func (r snapshotRow) Key() []byte               { return []byte(r.Device.Product + "-" + r.Device.ID) }
func (r snapshotRow) Fingerprint() uint64       { return 1 }
func (r snapshotRow) Snapshot() backup.Snapshot { return backup.Snapshot(r) }

// quietBox tells one thing, and then nothing for as long as it may.
type quietBox struct{ box }

func (b *quietBox) Check(ctx context.Context, tell func(mailbox.Finding)) {
	tell(mailbox.Finding{What: "logged in"})
	step, cancel := context.WithTimeout(ctx, mailbox.CheckTime)
	defer cancel()
	<-step.Done()
	tell(mailbox.Finding{What: "folder", Err: step.Err()})
}

func snapshot(id int, kind, customer string, sources ...string) backup.Snapshot {
	s := backup.Snapshot{Device: backup.Device{Product: "acme", ID: fmt.Sprint(id), Name: fmt.Sprintf("srv%d", id), Computer: "SRV", Customer: customer, Type: kind}}
	for _, source := range sources {
		s.Sessions = append(s.Sessions, backup.Session{Source: backup.DataSource{Key: source, Name: source}})
	}
	return s
}

// checkLines are what a check tells, a line each, failures with a ! and
// warnings with a ?.
func checkLines(t *testing.T, ctx context.Context, o bridge.Options, each func(line string)) string {
	t.Helper()
	l, err := ledger.Open(t.Context(), ledger.Options{SQLite: ":memory:"})
	if err != nil {
		t.Fatal(err)
	}
	o.Ledger, o.Log, o.Interval = l, slog.New(slog.DiscardHandler), time.Hour
	if o.Mailbox == nil {
		o.Mailbox = &box{}
	}
	b := bridge.New(o)
	defer b.Close()
	var all strings.Builder
	b.Check(ctx, bridge.CheckReport{Begin: func(string) {}, Found: func(area string, f mailbox.Finding) {
		line := area + ": " + f.What
		switch {
		case f.Err != nil:
			line = fmt.Sprintf("! %s: %v", line, f.Err)
		case f.Warning:
			line = "? " + line
		}
		if f.Hint != "" {
			line += " -> " + f.Hint
		}
		fmt.Fprintln(&all, line)
		if each != nil {
			each(line)
		}
	}})
	return all.String()
}

func jobOf(t *testing.T, text string) collect.Job {
	t.Helper()
	job, err := collect.NewJob(text)
	if err != nil {
		t.Fatal(err)
	}
	return job
}

// Whatever never answers, each line comes within 20 s, and what can be tried
// besides is.
func TestCheckNeverWaitsLong(t *testing.T) {
	devices := []backup.Snapshot{snapshot(1, backup.Server, "Acme", "D01"), snapshot(2, backup.Microsoft365, "Acme", "D19")}
	for silent, want := range map[string]string{
		"check":    "! cove acme: log in and read a device: no answer within 20s: ask: context deadline exceeded",
		"devices":  "cove acme: the filters let all 2 devices of those read in this time through",
		"sessions": "! cove acme: history of srv1 at its storage node: no answer within 20s: ask: context deadline exceeded",
	} {
		t.Run(silent, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				last := time.Now()
				lines := checkLines(t, t.Context(), bridge.Options{
					Sources: []bridge.Source{listingSource{devices: devices, silent: silent}}, Mailbox: &quietBox{},
					Collect: collect.Options{Job: jobOf(t, "{{.Device.Name}}"), History: true},
				}, func(line string) {
					if took := time.Since(last); took > 20*time.Second {
						t.Errorf("%s took %s", line, took)
					}
					last = time.Now()
				})
				for _, want := range []string{want, "mailbox: logged in", "! mailbox: folder: context deadline exceeded"} {
					if !strings.Contains(lines, want) {
						t.Errorf("%q is not told in:\n%s", want, lines)
					}
				}
			})
		})
	}
}

// A check that is broken off ends at once, and tells nothing more.
func TestCheckBrokenOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		began := time.Now()
		lines := checkLines(t, ctx, bridge.Options{Sources: []bridge.Source{listingSource{silent: "check"}}, Mailbox: &quietBox{}}, nil)
		if took := time.Since(began); took != 5*time.Second || lines != "ledger: :memory:: 0 runs\n" {
			t.Errorf("after %s:\n%s", took, lines)
		}
	})
}

func TestCheckTellsOfDevices(t *testing.T) {
	devices := []backup.Snapshot{
		snapshot(1, backup.Server, "Acme", "D01"), snapshot(2, backup.Server, "Globex", "D01", "D02"),
		snapshot(3, backup.Microsoft365, "Globex", "D19"), snapshot(4, backup.Workstation, "Initech"),
	}
	name := "{{.Device.Name}}"
	for _, c := range []struct {
		why    string
		job    string
		filter collect.Filter
		ended  error
		want   string
	}{
		{"as it should be", name, collect.Filter{}, nil, `cove acme: the filters let all 4 devices through
cove acme: history of srv1 at its storage node: 3 sessions in the last 2 days
cove acme: history of srv3 at the reporting API: 3 sessions in the last 2 days
`},
		{"some are left out", name, collect.Filter{Customers: collect.Globs{Exclude: []string{"Glob*"}}, Types: []string{backup.Server}}, nil,
			`cove acme: the filters let 1 of 4 devices through: filter.customers stops 2, filter.types stops 1
cove acme: history of srv1 at its storage node: 3 sessions in the last 2 days
`},
		{"all are, by one", name, collect.Filter{Customers: collect.Globs{Include: []string{"Umbrella"}}, Statuses: []backup.Status{backup.Failed}}, nil,
			"! cove acme: the filters let none of 4 devices through: no run will be mailed: filter.customers stops 4 -> change or remove filter.customers\n"},
		{"all are, by two", name, collect.Filter{DataSources: collect.Globs{Exclude: []string{"D*"}}, Types: []string{backup.Server, backup.Microsoft365}}, nil,
			"! cove acme: the filters let none of 4 devices through: no run will be mailed: filter.data_sources stops 3, filter.types stops 1 -> change or remove filter.data_sources and filter.types\n"},
		{"statuses are not known before", name, collect.Filter{Statuses: []backup.Status{backup.Failed}, Types: []string{backup.Workstation}}, nil,
			"cove acme: the filters let 1 of 4 devices through: filter.types stops 3\n"},
		{"a job of several", "{{.Device.Computer}}", collect.Filter{Types: []string{backup.Server}}, fmt.Errorf("read: %w", backup.ErrNoHistory),
			`cove acme: the filters let 2 of 4 devices through: filter.types stops 2
! cove acme: history of srv1 at its storage node: read: ` + backup.ErrNoHistory.Error() + ` -> let this machine reach the storage nodes by https; until then only the last session of each data source is mailed, without error texts
! settings: job.name: it gives the devices "srv1" and "srv2" one job, "SRV" -> use {{.Device.Name}} in it: no two devices share that, and it never changes
`},
	} {
		got := checkLines(t, t.Context(), bridge.Options{
			Sources: []bridge.Source{listingSource{devices: devices, ended: c.ended}}, Collect: collect.Options{Job: jobOf(t, c.job), Filter: c.filter, History: true},
		}, nil)
		if want := "ledger: :memory:: 0 runs\ncove acme: acme: logged in\n" + c.want; got != want {
			t.Errorf("%s: got\n%swant\n%s", c.why, got, want)
		}
	}
}

// A disk that is full fails, and one that is about to be warns.
func TestCheckTellsOfDisks(t *testing.T) {
	for mb, want := range map[uint64]string{
		4000: "disk: 4000 MB are free in /data",
		400:  "? disk: 400 MB are free in /data -> free some space",
		4:    "! disk: 4 MB are free in /data: the disk is full -> free some space",
	} {
		got := checkLines(t, t.Context(), bridge.Options{Disks: []string{"/data"}, Free: func(string) (uint64, error) { return mb * 1_000_000, nil }}, nil)
		if first, _, _ := strings.Cut(got, "\n"); first != want {
			t.Errorf("%d MB: %s", mb, first)
		}
	}
}

// The simulator's devices have histories in both places.
func TestCheckReadsHistories(t *testing.T) {
	w, _ := simWorld(t, covesim.Options{Devices: 40}, func(o *bridge.Options) { o.Collect.History = true })
	var all strings.Builder
	w.Bridge.Check(t.Context(), bridge.CheckReport{Begin: func(string) {}, Found: func(area string, f mailbox.Finding) {
		fmt.Fprintf(&all, "%s: %s %v\n", area, f.What, f.Err)
	}})
	for _, want := range []string{"at its storage node: ", "at the reporting API: ", "the filters let all 40 devices through <nil>"} {
		if !strings.Contains(all.String(), want) || strings.Contains(all.String(), "error") {
			t.Errorf("%q is not told in:\n%s", want, &all)
		}
	}
}
