package message

import (
	"bytes"
	"strings"
	"testing"
)

// A mail reads back as a person sees it: each header decoded, both parts, and
// lines as other texts have them.
func TestRead(t *testing.T) {
	run := goldenRuns(t)["umlauts"]
	m, err := renderer(t).Render(run)
	if err != nil {
		t.Fatal(err)
	}
	c, err := Read(bytes.NewReader(m.Bytes))
	if err != nil {
		t.Fatal(err)
	}
	want := "From: \"Cove\" <cove@msp.example>\nTo: <backups@msp.example>\nDate: " + m.Date.Format("Mon, 02 Jan 2006 15:04:05 -0700") +
		"\nSubject: [Cove] Success: büro-müller_9xk2p (Müller & Söhne GmbH)\n\nBackup software: "
	if got := c.String(); !strings.HasPrefix(got, want) || strings.Contains(got, "\r") || !strings.Contains(got, "\nCustomer: Müller & Söhne GmbH\n") {
		t.Errorf("got\n%q\nwant\n%q…", got, want)
	}
	if !strings.Contains(c.HTML, "<!doctype html>") || strings.Contains(c.HTML, "\r") {
		t.Errorf("HTML: %q", c.HTML)
	}
	text, err := Read(strings.NewReader("Subject: s\r\n\r\none\r\ntwo\r\n"))
	if err != nil || text.Subject != "s" || text.Text != "one\ntwo\n" || text.HTML != "" {
		t.Errorf("of text alone: %+v, %v", text, err)
	}
	if _, err := Read(strings.NewReader("no mail at all")); err == nil {
		t.Error("what is no mail was read")
	}
}
