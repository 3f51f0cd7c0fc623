package message

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestOneLine(t *testing.T) {
	for in, want := range map[string]string{
		"srv01_ab12c":           "srv01_ab12c",
		"a\r\nb\tc\x00d":        "a b c d",
		"a\u2028b\u2029c\u0085": "a b c",
		"\u202eabc\u202c\ufeff": "abc",
		"  a \u00a0\u3000 b ":   "a b",
		"a\xffb":                "a\ufffdb",
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
