package message

import (
	"bytes"
	"strings"
	"testing"
)

// A line that a mailbox file or an SMTP server would change is written so that
// neither sees it, in a part of ASCII and in one that is not, and reads the same.
func TestProtectedLines(t *testing.T) {
	for _, word := range []string{"plain", "größer"} {
		text := "From the desk of " + word + "\n.\n.\nFrom here\nFrom " + strings.Repeat("x", 70) + "\nend"
		r, err := with(t, "text.tmpl", text)
		if err != nil {
			t.Fatal(err)
		}
		m, err := r.Render(goldenRuns(t)["failure"])
		if err != nil {
			t.Fatal(err)
		}
		checkLines(t, m.Bytes)
		for _, line := range bytes.Split(m.Bytes, []byte("\r\n"))[3:] { // behind the header's own From:
			if bytes.HasPrefix(line, []byte("From ")) || bytes.HasPrefix(line, []byte(".")) {
				t.Errorf("%s: a line %q", word, line)
			}
		}
		if got, want := parse(t, m.Bytes).text, strings.ReplaceAll(text, "\n", "\r\n")+"\r\n"; got != want {
			t.Errorf("%s: reads %q, want %q", word, got, want)
		}
	}
}
