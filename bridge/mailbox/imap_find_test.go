package mailbox

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
)

// put stores a mail behind the bridge's back.
func (s *memory) put(t *testing.T, folder string, mail Mail) {
	t.Helper()
	_, err := s.Append(folder, wholeLiteral{bytes.NewReader(mail.Bytes), int64(len(mail.Bytes))}, &imap.AppendOptions{Time: mail.Date})
	if err != nil {
		t.Fatal(err)
	}
}

func TestFind(t *testing.T) {
	const id = "cove-1-20260301T020304Z@covebridge"
	tests := []struct {
		name    string
		folder  string // that the mail is in; empty: none
		mark    string
		since   time.Time
		also    []string
		found   bool
		receipt string
	}{
		{name: "from the mark on", folder: "INBOX", mark: "imap:INBOX:1:2", since: day, found: true, receipt: "imap INBOX uid 2 uidvalidity 1"},
		{name: "mark above it", folder: "INBOX", mark: "imap:INBOX:1:99", since: day, found: true},
		{name: "mark of another UIDVALIDITY", folder: "INBOX", mark: "imap:INBOX:7:2", since: day, found: true},
		{name: "mark without UIDNEXT", folder: "INBOX", mark: "imap:INBOX:1:0", since: day, found: true},
		{name: "mark of SMTP", folder: "INBOX", mark: "smtp", since: day, found: true},
		{name: "broken mark", folder: "INBOX", mark: "imap:INBOX:x", since: day, found: true},
		{name: "no mark", folder: "INBOX", since: day, found: true},
		{name: "no mark, no time", folder: "INBOX", found: true},
		{name: "moved by the reader", folder: "Done", mark: "imap:INBOX:1:2", since: day, also: []string{"Done"}, found: true, receipt: "imap Done uid 1 uidvalidity 2"},
		{name: "moved, no mark", folder: "Done", since: day, also: []string{"Done"}, found: true},
		{name: "moved elsewhere", folder: "Done", mark: "imap:INBOX:1:2", since: day},
		{name: "also_search missing", folder: "INBOX", mark: "imap:INBOX:1:2", since: day, also: []string{"Nowhere"}, found: true},
		{name: "another folder was configured then", folder: "Done", mark: "imap:Done:2:1", since: day, found: true},
		{name: "not there", mark: "imap:INBOX:1:2", since: day, also: []string{"Done", "Nowhere"}},
		{name: "not there, no mark", since: day, also: []string{"Done", "Nowhere"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server := startMemory(t, imap.CapUIDPlus)
			if err := server.Create("Done", nil); err != nil {
				t.Fatal(err)
			}
			// A mail whose Message-ID only begins alike must not count.
			server.put(t, "INBOX", testMail("x."+id, 300))
			if tt.folder != "" {
				server.put(t, tt.folder, testMail(id, 300))
			}
			server.put(t, "INBOX", testMail(id+".example", 300))
			m := newTestIMAP(t, server.addr, func(o *IMAPOptions) { o.AlsoSearch = tt.also })
			receipt, found, err := findOne(t.Context(), m, id, tt.mark, tt.since)
			if err != nil || found != tt.found || tt.receipt != "" && receipt != tt.receipt {
				t.Errorf("got %q, %v, %v", receipt, found, err)
			}
		})
	}
}

// Two mails with one Message-ID are as good as one.
func TestFindTwice(t *testing.T) {
	server := startMemory(t)
	for range 2 {
		server.put(t, "INBOX", testMail("a@covebridge", 300))
	}
	m := newTestIMAP(t, server.addr)
	for _, mark := range []string{"", "smtp", "imap:INBOX:1:1"} {
		if _, found, err := findOne(t.Context(), m, "a@covebridge", mark, day); !found || err != nil {
			t.Errorf("mark %q: found %v, %v", mark, found, err)
		}
	}
}

// A start without a ledger asks for mail after mail: the folder is read once.
func TestFindManyReadsOnce(t *testing.T) {
	server := startMemory(t)
	for i := range 50 {
		server.put(t, "INBOX", testMail(fmt.Sprintf("%d@covebridge", i), 300))
	}
	w := tap(t, server.addr)
	m := newTestIMAP(t, w.addr)
	ask := func(i int, since time.Time, want bool) {
		t.Helper()
		if _, found, err := findOne(t.Context(), m, fmt.Sprintf("%d@covebridge", i), "", since); found != want || err != nil {
			t.Errorf("%d: found %v, %v", i, found, err)
		}
	}
	for i := range 100 {
		ask(i, day.Add(time.Duration(i)*time.Hour), i < 50)
	}
	// Asked for ever older ones, it reads again only as it goes back twice as far.
	for i := range 100 {
		ask(i, day.Add(-time.Duration(i)*time.Hour), i < 50)
	}
	w.mu.Lock()
	if w.said["FETCH"] > 2 || w.said["AUTHENTICATE"]+w.said["LOGIN"] > 1 {
		t.Errorf("the client said %v", w.said)
	}
	w.mu.Unlock()
	// What comes later is seen, and so is a new folder of the same name.
	server.put(t, "INBOX", testMail("99@covebridge", 300))
	ask(99, day, true)
	if err := server.Delete("INBOX"); err != nil {
		t.Fatal(err)
	}
	if err := server.Create("INBOX", nil); err != nil {
		t.Fatal(err)
	}
	ask(1, day, false)
	server.put(t, "INBOX", testMail("1@covebridge", 300))
	ask(1, day, true)
}

// Old mails stay out of an index only by their date.
func TestFindSince(t *testing.T) {
	server := startMemory(t)
	old := testMail("old@covebridge", 300)
	old.Date = day.AddDate(-3, 0, 0)
	server.put(t, "INBOX", old)
	server.put(t, "INBOX", testMail("new@covebridge", 300))
	m := newTestIMAP(t, server.addr)
	for _, tt := range []struct {
		id    string
		since time.Time
	}{{"new@covebridge", day}, {"old@covebridge", old.Date}, {"old@covebridge", time.Time{}}, {"new@covebridge", time.Time{}}} {
		if _, found, err := findOne(t.Context(), m, tt.id, "", tt.since); !found || err != nil {
			t.Errorf("%s since %v: found %v, %v", tt.id, tt.since, found, err)
		}
	}
}

// scripted is an IMAP server that answers what the test says.
func scripted(t *testing.T, answer func(tag, command string) string) string {
	t.Helper()
	return serve(t, "* OK [CAPABILITY IMAP4rev1 AUTH=XOAUTH2 SASL-IR] ready\r\n", func(line string) string {
		tag, command, _ := strings.Cut(line, " ")
		if command == "CAPABILITY" {
			return "* CAPABILITY IMAP4rev1\r\n" + tag + " OK done\r\n"
		}
		return answer(tag, command)
	})
}

// Where the server fails, the mail is not called missing.
func TestFindNeverGuesses(t *testing.T) {
	const box = "* 1 EXISTS\r\n* OK [UIDVALIDITY 1] x\r\n* OK [UIDNEXT 2] x\r\n"
	steps := map[string]string{ // what goes well before the step that fails
		"LOGIN": "", "EXAMINE": "", "LIST": "", "UID FETCH": "", "UID SEARCH": "",
	}
	for step := range steps {
		for _, bad := range []string{"TAG NO [UNAVAILABLE] later\r\n", "TAG BAD what?\r\n", "* BYE overloaded\r\n" + hangUp, "nonsense\r\n"} {
			t.Run(step+" "+bad, func(t *testing.T) {
				addr := scripted(t, func(tag, command string) string {
					if strings.HasPrefix(command, step) {
						return strings.ReplaceAll(bad, "TAG", tag)
					}
					switch {
					case strings.HasPrefix(command, "EXAMINE") && step == "LIST":
						return tag + " NO no such folder\r\n"
					case strings.HasPrefix(command, "EXAMINE"):
						return box + tag + " OK done\r\n"
					}
					return tag + " OK done\r\n"
				})
				m := newTestIMAP(t, addr)
				receipt, found, err := findOne(t.Context(), m, "a@covebridge", "imap:INBOX:1:1", day)
				if found {
					t.Fatalf("found %q", receipt)
				}
				wantClass(t, err, Unavailable)
			})
		}
	}
}

// A header cut short by the line must not be taken for a whole one.
func TestFindCutHeader(t *testing.T) {
	addr := scripted(t, func(tag, command string) string {
		switch {
		case strings.HasPrefix(command, "EXAMINE"):
			return "* 1 EXISTS\r\n* OK [UIDVALIDITY 1] x\r\n* OK [UIDNEXT 2] x\r\n" + tag + " OK done\r\n"
		case strings.HasPrefix(command, "UID FETCH"):
			return "* 1 FETCH (UID 1 BODY[HEADER.FIELDS (MESSAGE-ID)] {99}\r\nMessage-ID: <a@covebridge" + hangUp
		}
		return tag + " OK done\r\n"
	})
	m := newTestIMAP(t, addr)
	_, found, err := findOne(t.Context(), m, "a@covebridge", "imap:INBOX:1:1", day)
	if found || err == nil {
		t.Errorf("found %v, %v", found, err)
	}
}

func TestParseMessageID(t *testing.T) {
	for header, want := range map[string]string{
		"Message-ID: <a@b>\r\n\r\n":     "a@b",
		"MESSAGE-ID:\r\n <a@b>\r\n\r\n": "a@b",
		"message-id: a@b \r\n\r\n":      "a@b",
		"\r\n":                          "",
		"":                              "",
		"Message-ID: <a@[b:c]>\r\n\r\n": "a@[b:c]",
	} {
		if got := parseMessageID(header); got != want {
			t.Errorf("%q: got %q", header, got)
		}
	}
}

func FuzzParseMark(f *testing.F) {
	for _, s := range []string{"", "imap:INBOX:1:2", "imap:a:b:1:2", "imap::1:2", "smtp", "imap:1:2", "imap:x:4294967296:1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m := parseMark(s)
		if m != (mark{}) && parseMark(m.String()) != m {
			t.Errorf("%q: %+v does not come back", s, m)
		}
	})
}

// A header may be larger than what is kept of it.
func TestFindBesideHugeHeader(t *testing.T) {
	server := startMemory(t)
	server.put(t, "INBOX", testMail(strings.Repeat("x", 9000), 300))
	server.put(t, "INBOX", testMail("a@covebridge", 300))
	m := newTestIMAP(t, server.addr)
	if _, found, err := findOne(t.Context(), m, "a@covebridge", "imap:INBOX:1:1", day); !found || err != nil {
		t.Error(found, err)
	}
}
