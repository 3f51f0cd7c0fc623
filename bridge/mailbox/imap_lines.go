package mailbox

import (
	"fmt"
	"strings"
	"sync"
)

// imapLines looks at what an IMAP server says before the client does, line by
// line: the client keeps lines and literals in memory whatever their length,
// and forgets why a server hangs up.
type imapLines struct {
	line    int64  // bytes of this line, and of its literals
	start   []byte // what it begins with
	literal int64  // bytes of a literal still to come
	brace   int    // 0: not in {n}; 1: in its number; 2: behind it
	number  int64

	greeted bool

	mu       sync.Mutex
	bye      string // what came after "* BYE", or a greeting that is a refusal
	readOnly bool   // as the folder was last opened (RFC 9051 section 6.3.2)
}

// maxLine is above what a SEARCH in a folder of a million mails answers.
const maxLine = 8 << 20

// scan reads on; the error tells of a line that has no end.
func (l *imapLines) scan(p []byte) error {
	for len(p) > 0 {
		if l.literal > 0 {
			n := min(l.literal, int64(len(p)))
			l.literal -= n
			p = p[n:]
			continue
		}
		l.next(p[0])
		p = p[1:]
		if l.line > maxLine {
			return fmt.Errorf("the server sends a line of more than %d MiB", maxLine>>20)
		}
	}
	return nil
}

func (l *imapLines) next(b byte) {
	l.line++
	if len(l.start) < longest {
		l.start = append(l.start, b)
	}
	switch {
	case b == '{':
		l.brace, l.number = 1, 0
	case l.brace == 1 && b >= '0' && b <= '9' && l.number <= maxLine:
		l.number = l.number*10 + int64(b-'0')
	case l.brace == 1 && b == '}':
		l.brace = 2
	case l.brace == 2 && b == '\r':
	case l.brace == 2 && b == '\n': // the line goes on behind the literal (RFC 9051 section 4.3)
		l.brace, l.literal = 0, l.number
		l.line += l.number
	case b == '\n':
		l.endLine()
	default:
		l.brace = 0
	}
}

func (l *imapLines) endLine() {
	text, bye := strings.CutPrefix(string(l.start), "* BYE")
	if !bye && !l.greeted { // the client may tell that the connection ended, and not why
		text, bye = strings.CutPrefix(string(l.start), "* ")
		bye = bye && !strings.HasPrefix(text, "OK") && !strings.HasPrefix(text, "PREAUTH")
	}
	l.greeted = true
	l.mu.Lock()
	if bye {
		l.bye = strings.TrimSpace(text)
	}
	_, answer, _ := strings.Cut(string(l.start), " ")
	switch answer = strings.ToUpper(answer); {
	case strings.HasPrefix(answer, "OK [READ-ONLY]"):
		l.readOnly = true
	case strings.HasPrefix(answer, "OK [READ-WRITE]"):
		l.readOnly = false
	}
	l.mu.Unlock()
	l.brace, l.line, l.start = 0, 0, l.start[:0]
}

// goodbye is what the server hung up with; empty if it said nothing.
func (l *imapLines) goodbye() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.bye
}

// isReadOnly tells whether the folder that is open was opened for reading alone.
func (l *imapLines) isReadOnly() (readOnly bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.readOnly
}

// goodbyeError is a connection that the server closed, with a word.
type goodbyeError struct {
	text string
	err  error
}

func (e *goodbyeError) Error() string { return "the server hung up: " + e.text }
func (e *goodbyeError) Unwrap() error { return e.err }
