package bridge_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"covebridge/bridge"
	"covebridge/bridge/backup"
	"covebridge/bridge/covesim"
	"covebridge/bridge/internal/dovecot"
	"covebridge/bridge/internal/postfix"
	"covebridge/bridge/internal/realtest"
	"covebridge/bridge/ledger"
	"covebridge/bridge/mailbox"
	"covebridge/bridge/message"
)

// arrived makes the box hold what a real mailbox holds.
func (w *world) arrived(ids []string, mails [][]byte) {
	w.Helper()
	w.mails, w.texts = ids, map[string]string{}
	for i, id := range ids {
		content, err := message.Read(bytes.NewReader(mails[i]))
		if err != nil {
			w.Fatal(err)
		}
		w.texts[id] = content.String()
	}
}

// ends gives when each mailed run ended, by Message-ID.
func (w *world) ends() map[string]time.Time {
	w.Helper()
	entries, err := w.Ledger.Entries(w.Context(), ledger.Query{State: backup.EntrySent})
	if err != nil {
		w.Fatal(err)
	}
	ends := map[string]time.Time{}
	for _, e := range entries {
		ends[e.MessageID] = e.Run.End
	}
	return ends
}

// Into a real Dovecot: one mail for each finished run, none by a second poll,
// after a day exactly the new ones; their dates are the runs' ends.
func TestDovecot(t *testing.T) {
	t.Parallel()
	server := dovecot.Start(t, dovecot.Options{})
	box := mailbox.NewIMAP(mailbox.IMAPOptions{Address: server.Addr, TLS: "none", Username: server.User, Password: server.Password, Mailbox: "Cove", Create: true})
	w, sim := simWorld(t, covesim.Options{Seed: 5, Devices: 20, Without: covesim.LongRuns | covesim.Wedged}, func(o *bridge.Options) { o.Mailbox = box })
	since := sim.Now().Add(-24 * time.Hour)
	w.pollSim(sim, 0)
	for _, step := range []time.Duration{0, 24 * time.Hour, 0} {
		before := len(w.mails)
		w.pollSim(sim, step)
		var ids []string
		var mails [][]byte
		ends := w.ends()
		for _, m := range server.Messages(t, "Cove") {
			ids, mails = append(ids, m.ID), append(mails, m.Bytes)
			if end := ends[m.ID].Truncate(time.Second); !m.InternalDate.Equal(end) {
				t.Errorf("%s is dated %s, its run ended %s", m.ID, m.InternalDate, end)
			}
		}
		w.arrived(ids, mails)
		if len(ids) != len(ends) || step == 0 && before > 0 && len(ids) != before {
			t.Errorf("%d mails for %d runs; %d before a step of %s", len(ids), len(ends), before, step)
		}
		if step > 0 {
			parses(t, mails)
		}
	}
	// The newest runs are still waiting for more to join, or for error texts.
	if n := w.compareSim(sim, since, sim.Now().Add(-time.Hour)); n < 50 {
		t.Errorf("only %d sessions were compared", n)
	}
}

// Through a real Postfix.
func TestPostfix(t *testing.T) {
	t.Parallel()
	server := postfix.Start(t)
	box := mailbox.NewSMTP(mailbox.SMTPOptions{Address: server.Addr, TLS: "none"})
	w, sim := simWorld(t, covesim.Options{Seed: 6, Devices: 10, Without: covesim.LongRuns | covesim.Wedged}, func(o *bridge.Options) {
		o.Mailbox, o.Deliver.From, o.Deliver.To = box, "cove@msp.example", []string{postfix.To}
	})
	since := sim.Now().Add(-24 * time.Hour)
	w.pollSim(sim, 0)
	w.pollSim(sim, 24*time.Hour)
	w.pollSim(sim, 0)
	var ids []string
	var mails [][]byte
	for _, m := range server.Messages(t, len(w.ends())) {
		ids, mails = append(ids, m.ID), append(mails, m.Bytes)
	}
	w.arrived(ids, mails)
	if n := w.compareSim(sim, since, sim.Now().Add(-time.Hour)); n < 20 {
		t.Errorf("only %d sessions were compared", n)
	}
	parses(t, mails)
}

// parses reads mails with Python's email package, which must find no defect.
func parses(t *testing.T, mails [][]byte) {
	t.Helper()
	python := realtest.Need(t, "python3", "python3")[0]
	dir := t.TempDir()
	for i, m := range mails {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), m, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const script = `
import email, email.policy, pathlib, sys
for path in pathlib.Path(sys.argv[1]).iterdir():
    mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    for part in mail.walk():
        assert not part.defects, (path.name, part.defects)
        assert all(not h.defects for h in part.values() if hasattr(h, "defects")), path.name
    assert mail.get_body(("plain",)).get_content() and mail.get_body(("html",)).get_content()
`
	if out, err := exec.Command(python, "-c", script, dir).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
