package message

import (
	"strings"
	"testing"
	"time"

	"covebridge/bridge/backup"
)

// The mail of a silence names the session that ended last, of those that ended,
// and does not measure it against the one before: that is not what it is about.
func TestLastBeforeASilence(t *testing.T) {
	run := samples()[3]
	if run.Kind != backup.Silence {
		t.Fatal(run.Kind)
	}
	first, last, open := run.Last[0], run.Last[0], run.Last[0]
	first.Source.Name, last.Source.Name, open.Source.Name = "First", "Second", "Third"
	last.End = last.End.Add(time.Hour)
	open.State, open.End = backup.Running, last.End.Add(time.Hour)
	for _, order := range [][]backup.Session{{first, last, open}, {open, last, first}} {
		run.Last = order
		m, err := renderer(t).Render(run)
		if err != nil {
			t.Fatal(err)
		}
		p := parse(t, m.Bytes)
		if !strings.Contains(p.text, "The last one was Second (") {
			t.Errorf("got\n%s", p.text)
		}
		if all := p.text + p.html; strings.Contains(all, "than the run before") {
			t.Errorf("it is measured:\n%s", all)
		}
	}
}

// Only what is sure to be encrypted is linked to, and whatever is in an address
// stays in it.
func TestLink(t *testing.T) {
	for address, want := range map[string]string{
		"https://console.example/#(a:1)": `href="https://console.example/#(a:1)"`,
		`https://console.example/"><b>`:  `href="https://console.example/&#34;&gt;&lt;b&gt;"`,
		"http://console.example/":        "", "javascript:alert(1)": "", "": "",
	} {
		if got := string(link(address)); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}
