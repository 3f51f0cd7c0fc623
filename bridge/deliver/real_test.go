package deliver

import (
	"context"
	"log/slog"
	"os"
	"testing"

	"covebridge/bridge/backup"
	"covebridge/bridge/mailbox"
)

var (
	_ Mailbox = (*mailbox.IMAP)(nil)
	_ Mailbox = (*mailbox.SMTP)(nil)
	_ Mailbox = (*mailbox.Directory)(nil)
)

// Mails go into a real folder, and are found there when the ledger is restored.
func TestIntoADirectory(t *testing.T) {
	dir := t.TempDir()
	box := mailbox.NewDirectory(dir)
	s := newStore()
	s.put("d", 100, backup.Success)
	d := New(Options{Outbox: s.of("a"), Mailbox: box, Log: slog.New(slog.DiscardHandler), From: "a@b.example", To: []string{"c@d.example"}, Connections: 4})
	if c := d.Drain(context.Background()); c != (Counts{Sent: 100}) {
		t.Errorf("got %+v", c)
	}
	for _, e := range s.entries {
		e.State, e.Doubt = backup.EntryQueued, true
	}
	if c := d.Drain(context.Background()); c != (Counts{Found: 100}) {
		t.Errorf("after the ledger was restored: %+v", c)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 100 {
		t.Errorf("%d files, %v", len(files), err)
	}
}
