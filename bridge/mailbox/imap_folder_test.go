package mailbox

import (
	"strings"
	"sync/atomic"
	"testing"
)

// A folder that another connection makes between the answer that it is missing
// and the look whether it is, is there.
func TestFolderMadeMeanwhile(t *testing.T) {
	var asked atomic.Int32
	addr := scripted(t, func(tag, command string) string {
		switch {
		case strings.HasPrefix(command, "EXAMINE") && asked.Add(1) == 1:
			return tag + " NO Mailbox doesn't exist: INBOX\r\n"
		case strings.HasPrefix(command, "EXAMINE"):
			return "* 0 EXISTS\r\n* OK [UIDVALIDITY 1] x\r\n* OK [UIDNEXT 1] x\r\n" + tag + " OK done\r\n"
		case strings.HasPrefix(command, "LIST"):
			return "* LIST () \"/\" INBOX\r\n" + tag + " OK done\r\n"
		case strings.HasPrefix(command, "UID SEARCH"):
			return "* SEARCH\r\n" + tag + " OK done\r\n"
		}
		return tag + " OK done\r\n"
	})
	m := newTestIMAP(t, addr)
	_, found, err := findOne(t.Context(), m, "run1@covebridge", "imap:INBOX:1:1", day)
	if err != nil || found || asked.Load() < 2 {
		t.Errorf("found %v, %v after %d tries", found, err, asked.Load())
	}
}
