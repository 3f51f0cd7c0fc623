package dovecot

import (
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
)

func TestKeepsMailsOverARestart(t *testing.T) {
	s := Start(t, Options{})
	c := s.login(t)
	const text = "From: a@b.example\r\nMessage-ID: <one@b.example>\r\n\r\ntext\r\n"
	when := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	cmd := c.Append("INBOX", int64(len(text)), &imap.AppendOptions{Time: when})
	cmd.Write([]byte(text))
	cmd.Close()
	if _, err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	for _, end := range []func(){s.Stop, s.Kill} {
		end()
		s.Start()
		got := s.Messages(t, "INBOX")
		if len(got) != 1 || got[0].ID != "one@b.example" || !got[0].InternalDate.Equal(when) || string(got[0].Bytes) != text {
			t.Fatalf("got %+v", got)
		}
	}
	s.Move(t, "INBOX", "Done")
	if in, done := len(s.Messages(t, "INBOX")), len(s.Messages(t, "Done")); in != 0 || done != 1 {
		t.Errorf("after the move %d and %d mails, want 0 and 1", in, done)
	}
	s.Delete(t, "Done")
	if n := len(s.Messages(t, "Done")); n != 0 {
		t.Errorf("%d mails in a deleted folder", n)
	}
}

// Each of many that start at once has ports of its own.
func TestManyAtOnce(t *testing.T) {
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if n := len(Start(t, Options{}).Messages(t, "INBOX")); n != 0 {
				t.Errorf("%d mails in a new mailbox", n)
			}
		})
	}
	all.Wait()
}
