package message

import (
	"strings"
	"testing"
	"unicode/utf8"

	"covebridge/bridge/backup"
)

func TestOneLine(t *testing.T) {
	for in, want := range map[string]string{
		"srv01_ab12c":           "srv01_ab12c",
		"a\r\nb\tc\x00d":        "a b c d",
		"a\u2028b\u2029c\u0085": "a b c",
		"\u202eabc\u202c\ufeff": "abc",
		"  a \u00a0\u3000 b ":   "a b",
		"a\xffb":                "a\ufffdb",
		"a\xff\xfeb":            "a\ufffdb",      // one sign for all that is broken in a row
		"می\u200cخواهم":         "می\u200cخواهم", // a joiner that the script needs stays
	} {
		if got := oneLine(in); got != want {
			t.Errorf("oneLine(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestCut(t *testing.T) {
	for in, want := range map[string]string{"abcde": "abcde", "abcdef": "abcd…", "ab  d efg": "ab d…", "äöüßéè": "äöüß…"} {
		if got := truncate(in, 5); got != want {
			t.Errorf("cut(%q, 5) = %q, want %q", in, got, want)
		}
	}
}

// A run that lacks something, or has what can't be, still makes a mail.
func TestStrangeRuns(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*backup.Run)
		want   func(backup.Run) bool
	}{
		{"no job", func(r *backup.Run) { r.Job = " \n" }, func(r backup.Run) bool { return r.Job == "srv01_ab12c" }},
		{"no name", func(r *backup.Run) { r.Job, r.Device.Name = "", "" }, func(r backup.Run) bool { return r.Job == "sample-1234567" }},
		{"status too high", func(r *backup.Run) { r.Status = 9 }, func(r backup.Run) bool { return r.Status == backup.Failed }},
		{"status too low", func(r *backup.Run) { r.Status = -1 }, func(r backup.Run) bool { return r.Status == backup.Success }},
		{"console without TLS", func(r *backup.Run) { r.Device.Console = "http://console.example" }, func(r backup.Run) bool { return r.Device.Console == "" }},
	} {
		run := samples()[0]
		c.change(&run)
		if got := clean(run); !c.want(got) {
			t.Errorf("%s: got %+v", c.name, got)
		}
		if _, err := renderer(t).Render(run); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func FuzzOneLine(f *testing.F) {
	f.Add("a\r\n b")
	f.Fuzz(func(t *testing.T, s string) {
		got := oneLine(s)
		if !utf8.ValidString(got) || oneLine(got) != got || strings.ContainsAny(got, "\r\n\t\x00\u2028\u2029\u202e\u00a0") || strings.Contains(got, "  ") {
			t.Errorf("oneLine(%q) = %q", s, got)
		}
		if short := truncate(s, 10); utf8.RuneCountInString(short) > 10 {
			t.Errorf("cut(%q, 10) = %q", s, short)
		}
	})
}
