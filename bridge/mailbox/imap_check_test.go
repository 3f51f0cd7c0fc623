package mailbox

import (
	"fmt"
	"strings"
	"testing"
)

// Whether mails may be put in is told by the login's rights, or else by how the
// folder opens; and nothing is ever put in to find it out.
func TestIMAPCheckMayPutIn(t *testing.T) {
	for _, c := range []struct {
		acl, code, rights string
		want              []string
	}{
		{"", "READ-WRITE", "", []string{"logged in", "folder INBOX: 3 messages, open for writing (READ-WRITE)", "no UIDPLUS"}},
		{"", "read-only", "", []string{"logged in", "folder INBOX: 3 messages", "!folder INBOX: opened READ-ONLY", "no UIDPLUS"}},
		{" ACL", "READ-ONLY", "lrsi", []string{"logged in", "folder INBOX: 3 messages, mails may be put in (rights lrsi)", "no UIDPLUS"}},
		{" ACL", "READ-WRITE", "lrs", []string{"logged in", "folder INBOX: 3 messages", "!folder INBOX: rights lrs", "no UIDPLUS"}},
		{" ACL", "READ-ONLY", "", []string{"logged in", "folder INBOX: 3 messages, the server does not tell", "no UIDPLUS"}},
	} {
		t.Run(c.acl+c.code+c.rights, func(t *testing.T) {
			addr := serve(t, "* OK [CAPABILITY IMAP4rev1] ready\r\n", func(line string) string {
				tag, command, _ := strings.Cut(line, " ")
				word, _, _ := strings.Cut(command, " ")
				switch word {
				case "APPEND":
					t.Error("a mail was put in")
				case "CAPABILITY":
					return fmt.Sprintf("* CAPABILITY IMAP4rev1%s\r\n%s OK\r\n", c.acl, tag)
				case "SELECT", "EXAMINE":
					if (word == "EXAMINE") != (c.acl != "") {
						t.Errorf("%s", line)
					}
					return fmt.Sprintf("* 3 EXISTS\r\n* FLAGS ()\r\n%s OK [%s] done\r\n", tag, c.code)
				case "MYRIGHTS":
					if c.rights == "" {
						return tag + " NO not told\r\n"
					}
					return fmt.Sprintf("* MYRIGHTS INBOX %s\r\n%s OK\r\n", c.rights, tag)
				}
				return tag + " OK\r\n"
			})
			wantFindings(t, newTestIMAP(t, addr), c.want...)
		})
	}
}
