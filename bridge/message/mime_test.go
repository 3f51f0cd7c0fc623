package message

import (
	"bytes"
	"testing"
)

// checkLines fails where a line is too long or does not end with CRLF.
func checkLines(t testing.TB, mail []byte) {
	t.Helper()
	if !bytes.HasSuffix(mail, []byte("\r\n")) {
		t.Error("the mail does not end with CRLF")
	}
	for i, line := range bytes.Split(bytes.TrimSuffix(mail, []byte("\r\n")), []byte("\r\n")) {
		if bytes.ContainsAny(line, "\r\n\x00") {
			t.Fatalf("line %d holds a bare CR, LF or a NUL: %q", i+1, line)
		}
		if len(line) > 998 {
			t.Fatalf("line %d has %d bytes", i+1, len(line))
		}
		if bytes.HasSuffix(line, []byte(" ")) {
			t.Errorf("line %d ends with a space: %q", i+1, line)
		}
		for _, c := range line {
			if c >= 0x80 {
				t.Fatalf("line %d holds 8-bit bytes: %q", i+1, line)
			}
		}
	}
}
