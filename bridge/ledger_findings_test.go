package bridge_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"covebridge/bridge"
	"covebridge/bridge/backup"
	"covebridge/bridge/finding"
	"covebridge/bridge/mailbox"
	"covebridge/bridge/status"
)

// found gives the finding of that name.
func found(t *testing.T, all []finding.Finding, name string) finding.Finding {
	t.Helper()
	i := slices.IndexFunc(all, func(f finding.Finding) bool { return f.Name == name })
	if i < 0 {
		t.Fatalf("no %s among %+v", name, all)
	}
	return all[i]
}

// A mail that was given up is a finding for as long as the ledger knows it, and
// for whoever asks: after a restart, and beside the bridge.
func TestGivenUpOutlastsARestart(t *testing.T) {
	w := newWorld(t, func(o *bridge.Options) { o.Name = "host:1" })
	w.box.fault = func(mailbox.Mail) fault { return refused }
	w.queue(backup.Failed, "a-1")
	for range 60 { // refused for a day while another one passes
		w.Drain(t.Context())
		w.clock = w.clock.Add(time.Hour)
		w.box.fault = func(m mailbox.Mail) fault {
			if strings.Contains(m.MessageID, "a-1") {
				return refused
			}
			return none
		}
	}
	w.restart()
	s, err := status.Read(t.Context(), w.Ledger, w.clock, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	if f := found(t, s.Findings, "mails_given_up"); f.Severity != finding.Failed || !strings.Contains(f.Why, "1 within a week") || !strings.Contains(f.Remedy, "resend --failed") {
		t.Errorf("finding %+v", f)
	}
}

// Mails that come hours after their backups' ends are a finding once the bridge
// has had time to make up for its start.
func TestLateMails(t *testing.T) {
	clock := epoch
	w := newWorld(t, func(o *bridge.Options) {
		o.Name, o.Interval = "host:1", 15*time.Minute
		o.Now = func() time.Time { return clock }
	})
	w.queue(backup.Success, "a-1", "b-1", "c-1") // they ended then
	clock = epoch.Add(2*time.Hour + time.Minute)
	w.clock = clock
	w.Drain(t.Context())
	if _, err := w.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	if f := found(t, w.Findings.Current(), "mails_late"); !strings.Contains(f.Why, "more than 2h1m0s after") {
		t.Errorf("finding %+v", f)
	}
	clock = clock.Add(2 * time.Hour)
	w.clock = clock
	if _, err := w.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	if all := w.Findings.Current(); len(all) > 0 {
		t.Errorf("two hours later: %+v", all)
	}
}

// A ledger that can't be written is a finding, though it can't hold one.
func TestLedgerUnwritable(t *testing.T) {
	w := newWorld(t, func(o *bridge.Options) { o.Name = "host:1" })
	if err := w.Ledger.Close(); err != nil {
		t.Fatal(err)
	}
	_, _ = w.Once(t.Context())
	f := found(t, w.Findings.Current(), "ledger_unwritable")
	s, err := w.Status(t.Context())
	if err == nil || found(t, s.Findings, "ledger_unwritable").Severity != finding.Failed || !strings.Contains(f.Why, "ledger") || f.Remedy == "" {
		t.Errorf("%+v, %v", s.Findings, err)
	}
}
