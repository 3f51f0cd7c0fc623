package mailbox

import (
	"fmt"
	"strings"
	"testing"

	"covebridge/bridge/internal/dovecot"
	"covebridge/bridge/internal/faultproxy"
	"covebridge/bridge/internal/testcert"
)

func newDovecotIMAP(t *testing.T, s *dovecot.Server, change ...func(*IMAPOptions)) *IMAP {
	return newTestIMAP(t, s.Addr, append([]func(*IMAPOptions){func(o *IMAPOptions) {
		o.Username, o.Password, o.TLSConfig = s.User, s.Password, s.Cert.Client
	}}, change...)...)
}

func TestDovecot(t *testing.T) {
	s := dovecot.Start(t, dovecot.Options{})

	t.Run("ways in", func(t *testing.T) {
		for mode, addr := range map[string]string{"none": s.Addr, "starttls": s.Addr, "tls": s.TLSAddr} {
			for _, auth := range []string{"plain", "login"} {
				m := newDovecotIMAP(t, s, func(o *IMAPOptions) {
					o.Address, o.TLS, o.Auth, o.Mailbox, o.Create = addr, mode, auth, "Ways/"+mode+auth, true
				})
				mail := testMail("way@covebridge", 20000)
				if receipt, _ := mustDeliver(t, m, mail); !strings.HasPrefix(receipt, "imap Ways/"+mode+auth+" uid 1 uidvalidity ") {
					t.Errorf("%s, %s: receipt %q", mode, auth, receipt)
				}
				got := s.Messages(t, "Ways/"+mode+auth)
				if len(got) != 1 || !got[0].InternalDate.Equal(day) || string(got[0].Bytes) != string(mail.Bytes) {
					t.Errorf("%s, %s: got %+v", mode, auth, got)
				}
			}
		}
	})

	t.Run("find", func(t *testing.T) {
		m := newDovecotIMAP(t, s, func(o *IMAPOptions) {
			o.Mailbox, o.Create, o.AlsoSearch = "Päckchen & Co", true, []string{"Done", "Nowhere"}
		})
		mail := testMail("find@covebridge", 300)
		_, mark := mustDeliver(t, m, mail)
		ask := func(id, mark string, want bool) {
			t.Helper()
			if _, found, err := findOne(t.Context(), m, id, mark, day); found != want || err != nil {
				t.Errorf("%s from %q: found %v, %v", id, mark, found, err)
			}
		}
		for _, mark := range []string{mark, "", "smtp", "imap:INBOX:1:1"} {
			ask("find@covebridge", mark, true)
			ask("find@covebridge.example", mark, false)
			ask("ind@covebridge", mark, false)
		}
		s.Move(t, "Päckchen & Co", "Done")
		ask("find@covebridge", mark, true)
		s.Delete(t, "Päckchen & Co")
		ask("other@covebridge", mark, false)
		mustDeliver(t, m, testMail("other@covebridge", 20000)) // makes the folder anew
		ask("other@covebridge", mark, true)
	})

	t.Run("restart", func(t *testing.T) {
		m := newDovecotIMAP(t, s, func(o *IMAPOptions) { o.Mailbox, o.Create = "Restart", true })
		for i, end := range []func(){func() {}, s.Stop, s.Kill} {
			end()
			if i > 0 {
				_, err := deliverOne(t.Context(), m, testMail("down@covebridge", 300), nil)
				wantClass(t, err, Unavailable)
				if _, found, err := findOne(t.Context(), m, "0@covebridge", "", day); found || err == nil {
					t.Errorf("found %v, %v while the server was down", found, err)
				}
				s.Start()
			}
			mustDeliver(t, m, testMail(fmt.Sprintf("%d@covebridge", i), 300))
		}
		if n := len(s.Messages(t, "Restart")); n != 3 {
			t.Errorf("%d mails, want 3", n)
		}
	})

	t.Run("cut", func(t *testing.T) {
		proxy := startProxy(t, faultproxy.IMAP, s.Addr)
		m := newDovecotIMAP(t, s, func(o *IMAPOptions) { o.Address, o.Mailbox, o.Create = proxy.Addr(), "Cut", true })
		n := 0
		for _, size := range sizes {
			for _, point := range faultproxy.Points {
				n++
				mail := testMail(fmt.Sprintf("cut-%d@covebridge", n), size)
				proxy.Script(faultproxy.Fault{At: point, Do: faultproxy.Cut})
				var b begun
				_, err := deliverOne(t.Context(), m, mail, b.begin)
				wantClass(t, err, Unknown)
				_, found, err := findOne(t.Context(), m, mail.MessageID, b.marks[0], day)
				if err != nil {
					t.Fatal(err)
				}
				if point == faultproxy.AfterEnd && !found {
					t.Errorf("%d bytes, cut %v: not found", size, point)
				}
				if !found {
					mustDeliver(t, m, mail)
				}
				if got := len(s.Messages(t, "Cut")); got != n {
					t.Fatalf("%d bytes, cut %v: %d mails, want %d", size, point, got, n)
				}
			}
		}
	})

	t.Run("check", func(t *testing.T) {
		m := newDovecotIMAP(t, s, func(o *IMAPOptions) { o.AlsoSearch = []string{"Done", "Nowhere"} })
		wantFindings(t, m, "logged in as backup, unencrypted", "folder INBOX: 0 messages",
			"folder Done (also_search): 1 messages", "folder Nowhere (also_search): missing", "UIDPLUS")
		m = newDovecotIMAP(t, s, func(o *IMAPOptions) { o.Address, o.TLS, o.Mailbox = s.TLSAddr, "tls", "Nowhere" })
		wantFindings(t, m, "logged in as backup, with TLS", "!folder Nowhere", "UIDPLUS")
		m = newDovecotIMAP(t, s, func(o *IMAPOptions) { o.TLS, o.Mailbox, o.Create = "starttls", "Nowhere", true })
		wantFindings(t, m, "logged in as backup, with STARTTLS", "folder Nowhere: missing, will be made", "UIDPLUS")
		m = newDovecotIMAP(t, s, func(o *IMAPOptions) { o.Password = "wrong-secret-pass" })
		if f := wantFindings(t, m, "!connect and log in"); f[0].Hint != hintPassword {
			t.Errorf("hint %q", f[0].Hint)
		}
		m = newDovecotIMAP(t, s, func(o *IMAPOptions) { o.TLS, o.TLSConfig = "starttls", nil })
		if f := wantFindings(t, m, "!connect and log in"); !strings.Contains(f[0].Hint, testcert.Authority) {
			t.Errorf("hint %q", f[0].Hint)
		}
	})
}

// A mailbox on which the login may only look, and one that is full.
func TestDovecotRights(t *testing.T) {
	s := dovecot.Start(t, dovecot.Options{Config: `
mail_plugins = acl quota
protocol imap {
  mail_plugins = acl imap_acl quota
}
plugin {
  acl = vfile
  acl_globals_only = no
  quota = maildir:User quota
  quota_rule = *:storage=10K
  quota_grace = 0
}
`})
	m := newDovecotIMAP(t, s)
	_, err := deliverOne(t.Context(), m, testMail("big@covebridge", 20000), new(begun).begin)
	if e := wantClass(t, err, Unavailable); !strings.Contains(e.Hint, "full") {
		t.Errorf("over quota: %v", err)
	}
	mustDeliver(t, m, testMail("small@covebridge", 300))
	wantFindings(t, m, "logged in", "folder INBOX: 1 messages, mails may be put in (rights ", "UIDPLUS")

	s.SetRights(t, "INBOX", "lr")
	m = newDovecotIMAP(t, s)
	_, err = deliverOne(t.Context(), m, testMail("b@covebridge", 300), new(begun).begin)
	if e := wantClass(t, err, Unavailable); !strings.Contains(e.Hint, "right to insert") {
		t.Errorf("no right: %v", err)
	}
	wantFindings(t, m, "logged in", "folder INBOX: 1 messages", "!folder INBOX: rights lr", "UIDPLUS")
}

// wantFindings checks the findings by parts of what they say; ! stands
// before those that must have failed.
func wantFindings(t *testing.T, m mailbox, want ...string) []Finding {
	t.Helper()
	findings := check(t.Context(), m)
	var got []string
	ok := len(findings) == len(want)
	for i, f := range findings {
		mark := ""
		if f.Err != nil {
			mark = "!"
			if strings.Contains(f.Err.Error(), "secret") {
				t.Errorf("the finding holds a password: %v", f.Err)
			}
		}
		got = append(got, fmt.Sprintf("%s%s (%v)", mark, f.What, f.Err))
		if ok {
			part, failed := strings.CutPrefix(want[i], "!")
			ok = failed == (f.Err != nil) && strings.Contains(f.What, part)
		}
	}
	if !ok {
		t.Fatalf("found\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
	return findings
}
