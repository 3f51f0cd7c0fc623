package message

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"regexp"
	"strings"
	"time"

	gomessage "github.com/emersion/go-message"
	"github.com/emersion/go-message/mail"

	"covebridge/bridge/backup"
)

// write puts the mail together: multipart/alternative, the text first (RFC
// 2046 section 5.1.4: the last part is the one a reader prefers).
func (r *Renderer) write(run backup.Run, messageID, subject string, date time.Time, text, html string) ([]byte, error) {
	sum := sha256.Sum256([]byte(run.ID))
	boundary := fmt.Sprintf("%x", sum[:8])
	for strings.Contains(text, "--"+boundary) || strings.Contains(html, "--"+boundary) {
		sum = sha256.Sum256(sum[:]) // only a text made for it would hold it
		boundary = fmt.Sprintf("%x", sum[:8])
	}

	x := "X-" + headerWord(brand(run.Device)) + "-"
	var ids mail.Header
	ids.SetMessageID(messageID)
	ids.SetDate(date)
	fields := []struct {
		name   string
		tokens []string
	}{
		{"From", r.from},
		{"To", r.to},
		{"Subject", unstructured(subject, len("Subject:"))},
		{"Date", []string{ids.Get("Date")}},
		{"Message-ID", []string{ids.Get("Message-Id")}},
		{"Auto-Submitted", []string{"auto-generated"}}, // RFC 3834 section 5
		{x + "Run", unstructured(run.ID, len(x)+len("Run:"))},
		{x + "Account-ID", unstructured(truncate(run.Device.ID, maxWord), len(x)+len("Account-ID:"))},
		{x + "Status", []string{run.Status.String()}},
		{"MIME-Version", []string{"1.0"}},
		{"Content-Type", []string{"multipart/alternative;", "boundary=" + boundary}},
	}
	var header gomessage.Header
	for i := len(fields) - 1; i >= 0; i-- { // go-message writes the last added first
		header.AddRaw(foldField(fields[i].name, fields[i].tokens))
	}

	var b bytes.Buffer
	w, err := gomessage.CreateWriter(&b, header)
	if err != nil {
		return nil, err
	}
	for _, part := range []struct{ kind, body string }{{"text/plain", text}, {"text/html", references(html)}} {
		if err := writePart(w, part.kind, part.body); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	b.WriteString("\r\n") // go-message ends with the boundary and no line end
	return escapeLines(b.Bytes()), nil
}

// writePart writes a part as it is where that is safe (7bit, the default, of
// which nothing need be said: RFC 2045 section 6.1), else as quoted-printable
// (section 6.7).
func writePart(w *gomessage.Writer, kind, body string) error {
	body = normalizeLines(body)
	var h gomessage.Header
	if !sevenBit(body) {
		h.Set("Content-Transfer-Encoding", "quoted-printable")
	}
	h.Set("Content-Type", kind+"; charset=utf-8")
	p, err := w.CreatePart(h)
	if err != nil {
		return err
	}
	if _, err := p.Write([]byte(body)); err != nil {
		return err
	}
	return p.Close()
}

// normalizeLines gives every line its CRLF (RFC 5322 section 2.3) and takes away what a transport might:
// other control characters and spaces at the ends of lines.
func normalizeLines(body string) string {
	body = strings.ToValidUTF8(body, "\uFFFD")
	lines := strings.Split(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(body), "\n")
	for i, l := range lines {
		l = strings.Map(func(r rune) rune {
			if r < ' ' && r != '\t' || r == 0x7f {
				return -1
			}
			return r
		}, l)
		lines[i] = strings.TrimRight(l, " \t")
	}
	return strings.TrimRight(strings.Join(lines, "\r\n"), "\r\n") + "\r\n"
}

// sevenBit tells whether a body may go out as it is: ASCII, lines of at most
// 998 characters (RFC 2045 section 2.7), and none that a mailbox file would
// change or an SMTP server take for the end.
func sevenBit(body string) bool {
	for line := range strings.SplitSeq(body, "\r\n") {
		if len(line) > 998 || !ascii(strings.ReplaceAll(line, "\t", " ")) || strings.HasPrefix(line, "From ") || line == "." {
			return false
		}
	}
	return true
}

// raw is what knows no character references: style sheets, scripts, comments.
var raw = regexp.MustCompile(`(?is)<style\b.*?(?:</style>|$)|<script\b.*?(?:</script>|$)|<!--.*?(?:-->|$)`)

// references writes what is not ASCII as character references, so that the
// HTML needs no transfer encoding and no reader can take its character set for
// another.
func references(html string) string {
	var b strings.Builder
	at := 0
	for _, skip := range append(raw.FindAllStringIndex(html, -1), []int{len(html), len(html)}) {
		for _, r := range html[at:skip[0]] {
			if r < 0x80 {
				b.WriteRune(r)
			} else {
				fmt.Fprintf(&b, "&#%d;", r)
			}
		}
		b.WriteString(html[skip[0]:skip[1]])
		at = skip[1]
	}
	return b.String()
}

// escapeLines takes away what a mailbox file or an SMTP server would change in a
// part that is quoted-printable, as RFC 2049 section 3 advises: "From " at the
// start of a line and a lone dot. All other parts have none (see sevenBit).
func escapeLines(mail []byte) []byte {
	for {
		done := bytes.ReplaceAll(mail, []byte("\r\nFrom "), []byte("\r\n=46rom =\r\n"))
		done = bytes.ReplaceAll(done, []byte("\r\n.\r\n"), []byte("\r\n=2E\r\n"))
		if bytes.Equal(done, mail) {
			return mail
		}
		mail = done
	}
}

// headerWord is a brand as it can stand in a header's name (RFC 5322 section 3.6.8).
func headerWord(brand string) string {
	word := strings.Map(func(r rune) rune {
		if '0' <= r && r <= '9' || 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z' {
			return r
		}
		return -1
	}, brand)
	if word == "" {
		return "Backup"
	}
	return word
}
