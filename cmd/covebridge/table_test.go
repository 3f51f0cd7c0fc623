package main

import "testing"

// Names from outside can't steer the terminal, nor begin a line of a table.
func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"srv01 Müller 备份":       "srv01 Müller 备份",
		"a\x1b[31mb\x07\u009bc": "a\uFFFD[31mb\uFFFD\uFFFDc",
		"a\tb":                  "a b",
		"a\u202eb\u200bc":       "a\uFFFDb\uFFFDc",
		"a\r\nb":                "a\uFFFD\nb",
	} {
		if got := printable(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
	if got := oneLine("a\nb"); got != "a\uFFFDb" {
		t.Errorf("got %q", got)
	}
	if row := line([]any{"a\nb\x1b", "c\nd\x1b"}); row[0] != "a\uFFFDb\uFFFD" || row[1] != "c\nd\uFFFD" {
		t.Errorf("got %q", row)
	}
}
