package bridge_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"covebridge/bridge"
	"covebridge/bridge/backup"
	"covebridge/bridge/ledger"
	"covebridge/bridge/mailbox"
)

// A ledger that was lost is made anew without a mail coming twice.
func TestLostLedger(t *testing.T) {
	w := newWorld(t, func(o *bridge.Options) { o.Silence = map[string]time.Duration{backup.Server: time.Hour} })
	w.device("1", "Files 01:00-01:30\nFiles 03:00-03:30 Failed")
	w.until("00:30")
	w.until("02:00")
	w.until("04:00")
	before := len(w.mails)
	w.path += ".new"
	w.restart()
	w.until("04:10")
	if len(w.mails) != before || w.finds == 0 {
		t.Errorf("%d mails came again; the mailbox was asked %d times:\n%q", len(w.mails)-before, w.finds, w.subjects())
	}
}

// What the ledger has forgotten is not mailed again when the history still
// lists it, for it is asked from the start of a session that never ends.
func TestForgottenSessions(t *testing.T) {
	w := newWorld(t, nil)
	w.device("1", "Files 01:00-01:30\nStuck 01:45-9000:00\nFiles 02:00-02:30 Failed\nFiles 2399:00-2399:30 Warning\nFiles 2500:00-2500:30")
	for _, clock := range []string{"00:30", "02:00", "03:00", "40:00", "2400:00", "2502:00", "2503:00"} {
		w.until(clock)
	}
	for id, n := range w.count() {
		if n != 1 {
			t.Errorf("%s came %d times", id, n)
		}
	}
	// Three runs of Files, and the overdue one that the failed session waits in.
	if len(w.mails) != 4 || !strings.Contains(w.texts[w.mails[1]], "disk on fire in 1-2") {
		t.Errorf("got %q", w.texts)
	}
}

func TestRefusedMailBlocksNothing(t *testing.T) {
	w := newWorld(t, nil)
	w.device("1", "Files 01:00-01:30\nFiles 03:00-03:30")
	w.fault = func(m mailbox.Mail) fault {
		if strings.Contains(m.MessageID, "T010000Z") {
			return refused
		}
		return none
	}
	w.until("00:30")
	s := w.until("04:00")
	w.want("[Acme] Success: srv1 (Bolt BV)")
	if s.Delivered.Refused != 1 {
		t.Errorf("got %+v", s.Delivered)
	}
	w.fault = nil
	failed, err := w.Ledger.Entries(context.Background(), ledger.Query{State: ledger.Failed})
	if err != nil || len(failed) != 1 || !strings.Contains(failed[0].Reason, "never") {
		t.Fatalf("got %+v, %v", failed, err)
	}
	if _, err := w.Resend(context.Background(), failed[0].Run.ID); err != nil {
		t.Fatal(err)
	}
	w.Drain(context.Background())
	w.want("[Acme] Success: srv1 (Bolt BV)", "[Acme] Success: srv1 (Bolt BV)")
}

// A device whose mail can't be made is on record with the cause, the others go
// on, and once the cause is gone it can be sent.
func TestPoisonedDevice(t *testing.T) {
	name := `{{if eq .Device.Name "srv1"}}{{index .Device.CustomerPath 7}}{{end}}{{.Device.Name}}`
	w := newWorld(t, func(o *bridge.Options) {
		job, err := bridge.NewJob(name)
		if err != nil {
			t.Fatal(err)
		}
		o.Job = job
	})
	w.device("1", "Files 01:00-01:30\nFiles 03:00-03:30")
	w.device("2", "Files 01:00-01:30")
	w.until("00:30")
	w.until("02:00")
	w.until("04:00")
	w.want("[Acme] Success: srv2 (Bolt BV)")
	failed, err := w.Ledger.Entries(context.Background(), ledger.Query{State: ledger.Failed})
	if err != nil || len(failed) != 2 || !strings.Contains(failed[0].Reason, "job.name") {
		t.Fatalf("got %+v, %v", failed, err)
	}
	if _, err := w.Resend(context.Background(), failed[0].Run.ID); err == nil {
		t.Error("sent though its name can't be made")
	}
	name = "{{.Device.Name}}"
	w.restart()
	if _, err := w.Resend(context.Background(), failed[0].Run.ID); err != nil {
		t.Fatal(err)
	}
	w.Drain(context.Background())
	w.want("[Acme] Success: srv2 (Bolt BV)", "[Acme] Success: srv1 (Bolt BV)")
}

// What an unknown outcome means where nobody can be asked: it is sent again.
func TestPlainSMTPSendsAgain(t *testing.T) {
	w := newWorld(t, nil)
	w.deaf = true
	w.device("1", "Files 01:00-01:30")
	w.until("00:30")
	w.fault = func(mailbox.Mail) fault { return unanswered }
	w.until("02:00")
	w.fault = nil
	s := w.until("04:00")
	if s.Delivered.Resent != 1 || len(w.mails) != 2 || w.mails[0] != w.mails[1] {
		t.Errorf("got %+v, mails %q", s.Delivered, w.mails)
	}
}
