package mailbox

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/emersion/go-imap/v2"
)

// mark is what begin got: mails delivered after it have these UIDs or higher.
type mark struct {
	folder   string
	validity uint32
	next     imap.UID
}

// String gives "imap:INBOX:1:42".
func (m mark) String() string { return fmt.Sprintf("imap:%s:%d:%d", m.folder, m.validity, m.next) }

// parseMark gives the zero mark for what is none of an IMAP mailbox.
func parseMark(s string) (m mark) {
	rest, ok := strings.CutPrefix(s, "imap:")
	i := strings.LastIndexByte(rest, ':')
	if !ok || i < 0 {
		return mark{}
	}
	j := strings.LastIndexByte(rest[:i], ':')
	if j < 0 {
		return mark{}
	}
	validity, err1 := strconv.ParseUint(rest[j+1:i], 10, 32)
	next, err2 := strconv.ParseUint(rest[i+1:], 10, 32)
	if err1 != nil || err2 != nil {
		return mark{}
	}
	return mark{rest[:j], uint32(validity), imap.UID(next)}
}

// updateMark notes where the folder stands. UIDs only grow while UIDVALIDITY stays
// (RFC 9051 section 2.3.1.1), and answers of several connections cross.
func (m *IMAP) updateMark(validity uint32, next imap.UID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if validity != m.validity {
		m.validity, m.next = validity, next
	}
	m.next = max(m.next, next)
}

// resetMark makes the next delivery look where the folder stands.
func (m *IMAP) resetMark() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.validity, m.next = 0, 0
}

// markKnown tells whether a mark can be made without looking.
func (m *IMAP) markKnown() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.validity != 0 && m.next != 0
}

// mark tells where to look for a mail appended from now on.
func (m *IMAP) mark() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return mark{m.o.Mailbox, m.validity, m.next}.String()
}

func imapReceipt(folder string, uid imap.UID, validity uint32) string {
	return fmt.Sprintf("imap %s uid %d uidvalidity %d", folder, uid, validity)
}
