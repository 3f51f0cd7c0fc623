package mailbox

import (
	"strings"
	"testing"
	"unicode"

	"github.com/emersion/go-smtp"
)

func TestOneLine(t *testing.T) {
	for in, want := range map[string]string{
		"plain ünïcode 日本":      "plain ünïcode 日本",
		"a\r\nb\tc":             "a  b c",
		"\u009b31mred":          "31mred",
		"evil\u202etxt.exe":     "evil txt.exe",
		"zero\u200bwidth\ufeff": "zero width",
		"line\u2028separator":   "line separator",
		"bad\xffbytes":          "bad\ufffdbytes",
		"\x1b]0;title\x07":      "]0;title",
	} {
		if got := oneLine(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
	if got := oneLine(strings.Repeat("ü", 1<<20)); len(got) > longest+3 || !strings.HasSuffix(got, "…") {
		t.Errorf("%d bytes", len(got))
	}
}

func FuzzOneLine(f *testing.F) {
	f.Add("a\u202e\x9b\xffb")
	f.Fuzz(func(t *testing.T, s string) {
		got := oneLine(s)
		if len(got) > longest+3 {
			t.Errorf("%d bytes", len(got))
		}
		for _, r := range got {
			if !unicode.IsPrint(r) {
				t.Errorf("%q lets %U through", s, r)
			}
		}
	})
}

// Answers reach errors, findings and receipts only after the cleaning.
func TestServerTextIsCleaned(t *testing.T) {
	const dirty = "gone\u202e\u009b31m \x1b[2J"
	imapAddr := scripted(t, func(tag, command string) string {
		if strings.HasPrefix(command, "LOGIN") {
			return tag + " OK in\r\n"
		}
		return tag + " NO [UNAVAILABLE] " + dirty + "\r\n"
	})
	server := startPost(t)
	server.set(func(p *post) { p.mail = &smtp.SMTPError{Code: 550, Message: dirty} })
	for _, m := range []mailbox{newTestIMAP(t, imapAddr), newTestSMTP(t, server.addr)} {
		_, err := deliverOne(t.Context(), m, testMail("a@covebridge", 300), new(begun).begin)
		wantClass(t, err, Unavailable)
		for ; err != nil; err = unwrap(err) {
			if s := err.Error(); !strings.Contains(s, "gone") || strings.ContainsAny(s, "\u202e\u009b\x1b") {
				t.Errorf("%q", s)
			}
		}
	}
}

// A password that is echoed as an IMAP quoted string is masked too.
func TestEchoedQuotedPassword(t *testing.T) {
	for _, password := range []string{`pa"ss\word`, `"quoted"`, `back\\slash`, "secret-pass", "pässwörd", "a b c d e"} {
		addr := scripted(t, func(tag, command string) string {
			if strings.HasPrefix(command, "LOGIN") {
				return tag + " BAD what is " + command + "?\r\n"
			}
			return tag + " BAD no\r\n"
		})
		m := newTestIMAP(t, addr, func(o *IMAPOptions) { o.Auth, o.Password = "login", password })
		_, err := deliverOne(t.Context(), m, testMail("a@covebridge", 300), nil)
		e := wantClass(t, err, Unavailable)
		for ; err != nil; err = unwrap(err) {
			s := err.Error()
			if strings.Contains(s, password) || strings.Contains(s, quotedForm.Replace(password)) {
				t.Errorf("%q: the error holds it: %q", password, s)
			}
		}
		if isASCII(password) && !strings.Contains(e.Text, "***") { // others go as a literal, apart from the command
			t.Errorf("%q: the echo is missing: %v", password, e)
		}
	}
}
