package mailbox

import (
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
)

// scriptedBox is a scripted server with a folder of mails up to UID 3, of
// which SEARCH names UID 3 alone.
func scriptedBox(t *testing.T, fetch func(tag string) string) string {
	return scripted(t, func(tag, command string) string {
		switch {
		case strings.HasPrefix(command, "EXAMINE"):
			return "* 3 EXISTS\r\n* OK [UIDVALIDITY 1] x\r\n* OK [UIDNEXT 4] x\r\n" + tag + " OK done\r\n"
		case strings.HasPrefix(command, "UID SEARCH"):
			return "* SEARCH 3\r\n" + tag + " OK done\r\n"
		case strings.HasPrefix(command, "UID FETCH"):
			return fetch(tag)
		}
		return tag + " OK done\r\n"
	})
}

func literal(s string) string { return fmt.Sprintf("{%d}\r\n%s", len(s), s) }

// FETCH data come in any order and in several answers (RFC 9051 section
// 7.5.2), and other news in between.
func TestFindInAnyOrder(t *testing.T) {
	const id = "run1@covebridge"
	header := literal("Message-ID: <" + id + ">\r\n\r\n")
	section := "BODY[HEADER.FIELDS (Message-ID)] "
	whole := "* 3 FETCH (UID 3 " + section + header + ")\r\n"
	for name, reply := range map[string]string{
		"UID first":              whole,
		"UID last":               "* 3 FETCH (" + section + header + " UID 3)\r\n",
		"flags with UID first":   "* 3 FETCH (UID 3 FLAGS (\\Seen))\r\n" + whole,
		"flags with UID after":   whole + "* 3 FETCH (UID 3 FLAGS (\\Seen))\r\n",
		"flags without UID":      "* 3 FETCH (FLAGS (\\Seen))\r\n" + whole,
		"UID alone first":        "* 3 FETCH (UID 3)\r\n" + whole,
		"flags, then UID last":   "* 3 FETCH (UID 3 FLAGS ())\r\n* 3 FETCH (" + section + header + " UID 3)\r\n",
		"a quoted string":        "* 3 FETCH (UID 3 " + section + "\"Message-ID: <" + id + ">\")\r\n",
		"quoted names":           "* 3 FETCH (UID 3 BODY[HEADER.FIELDS (\"MESSAGE-ID\")] " + header + ")\r\n",
		"arrivals and departure": "* 4 EXISTS\r\n* 1 EXPUNGE\r\n" + whole,
		"folded":                 "* 3 FETCH (UID 3 " + section + literal("Message-ID:\r\n <"+id+">\r\n\r\n") + ")\r\n",
		"MODSEQ":                 "* 3 FETCH (UID 3 MODSEQ (12) " + section + header + ")\r\n",
		"others around it": "* 1 FETCH (" + section + literal("Message-ID: <x@y>\r\n\r\n") + " UID 1)\r\n" + whole +
			"* 2 FETCH (UID 2 " + section + "NIL)\r\n",
	} {
		for _, mark := range []string{"imap:INBOX:1:3", ""} {
			m := newTestIMAP(t, scriptedBox(t, func(tag string) string { return reply + tag + " OK done\r\n" }))
			receipt, found, err := findOne(t.Context(), m, id, mark, time.Time{})
			if !found || err != nil || receipt != "imap INBOX uid 3 uidvalidity 1" {
				t.Errorf("%s, mark %q: %v, %q, %v", name, mark, found, receipt, err)
			}
		}
	}
}

// A mail that SEARCH names and FETCH does not bring may be the very one: that
// is an error, never "missing".
func TestFindIncompleteFetch(t *testing.T) {
	for _, reply := range []string{"", "* 3 FETCH (UID 3 FLAGS ())\r\n", "* 2 FETCH (UID 2 BODY[HEADER.FIELDS (Message-ID)] NIL)\r\n"} {
		for _, mark := range []string{"imap:INBOX:1:3", ""} {
			m := newTestIMAP(t, scriptedBox(t, func(tag string) string { return reply + tag + " OK done\r\n" }))
			_, found, err := findOne(t.Context(), m, "run1@covebridge", mark, day)
			if e := wantClass(t, err, Unavailable); found || !strings.Contains(e.Error(), "keeps some back") {
				t.Errorf("%q, mark %q: %v, %v", reply, mark, found, err)
			}
		}
	}
}

// What was on its way into the folder when the line broke is seen by the second look.
func TestFindLooksTwice(t *testing.T) {
	var searches atomic.Int32
	addr := scripted(t, func(tag, command string) string {
		switch {
		case strings.HasPrefix(command, "EXAMINE"):
			return "* 0 EXISTS\r\n* OK [UIDVALIDITY 1] x\r\n* OK [UIDNEXT 3] x\r\n" + tag + " OK done\r\n"
		case strings.Contains(command, "HEADER") && strings.HasPrefix(command, "UID SEARCH"):
			if searches.Add(1) == 2 {
				return "* SEARCH 3\r\n" + tag + " OK done\r\n"
			}
		case strings.HasPrefix(command, "UID FETCH 3 "):
			return "* 1 FETCH (UID 3 BODY[HEADER.FIELDS (Message-ID)] " + literal("Message-ID: <a@b>\r\n\r\n") + ")\r\n" + tag + " OK done\r\n"
		}
		return tag + " OK done\r\n"
	})
	m := newTestIMAP(t, addr)
	if _, found, err := findOne(t.Context(), m, "a@b", "imap:INBOX:1:3", day); !found || err != nil || searches.Load() != 2 {
		t.Errorf("found %v, %v after %d searches", found, err, searches.Load())
	}
}

// One look settles a batch, and hundreds without a mark cost one index.
func TestFindBatchCost(t *testing.T) {
	server := startMemory(t, imap.CapUIDPlus)
	const stored = 400
	for i := range stored {
		server.put(t, "INBOX", testMail(fmt.Sprintf("%d@covebridge", i), 300))
	}
	for name, tt := range map[string]struct {
		query           func(i int) Query
		asked           int
		fetch, searches int // at most
	}{
		"a batch": {func(i int) Query { return Query{Mark: "imap:INBOX:1:101", MessageID: fmt.Sprint(100+i, "@covebridge")} }, 32, 1, 1},
		"a batch, half is missing": {func(i int) Query {
			return Query{Mark: "imap:INBOX:1:385", MessageID: fmt.Sprint(384+i, "@covebridge"), Since: day}
		}, 32, 3, 5},
		"no marks":           {func(i int) Query { return Query{MessageID: fmt.Sprint(2*i, "@covebridge"), Since: day} }, 600, 1, 2},
		"no marks, no times": {func(i int) Query { return Query{MessageID: fmt.Sprint(2*i, "@covebridge")} }, 600, 1, 1},
		"marks of another folder": {func(i int) Query {
			return Query{Mark: "imap:INBOX:7:1", MessageID: fmt.Sprint(2*i, "@covebridge"), Since: day}
		}, 600, 2, 4},
	} {
		w := tap(t, server.addr)
		m := newTestIMAP(t, w.addr)
		var queries []Query
		for i := range tt.asked {
			queries = append(queries, tt.query(i))
		}
		found, err := m.Find(t.Context(), queries)
		if err != nil {
			t.Fatal(err)
		}
		for i, f := range found {
			var n int
			fmt.Sscanf(queries[i].MessageID, "%d", &n)
			if want := n < stored; f.Found != want || want && f.Receipt != fmt.Sprintf("imap INBOX uid %d uidvalidity 1", n+1) {
				t.Errorf("%s: %s: %+v", name, queries[i].MessageID, f)
			}
		}
		w.mu.Lock()
		if w.said["FETCH"] > tt.fetch || w.said["SEARCH"] > tt.searches {
			t.Errorf("%s: the client said %v", name, w.said)
		}
		w.mu.Unlock()
	}
}

// A line without an end and a literal without measure end the connection, not
// the program.
func TestIMAPEndlessLine(t *testing.T) {
	huge := strings.Repeat("y", 50<<20)
	for name, say := range map[string]string{
		"line":    "* OK [ALERT] " + huge,
		"atom":    "* " + huge,
		"literal": "* LIST () \"/\" {1500000000}\r\n" + huge,
	} {
		addr := scripted(t, func(tag, command string) string {
			if strings.HasPrefix(command, "STATUS") {
				return say + "\r\n" + tag + " OK done\r\n"
			}
			return tag + " OK done\r\n"
		})
		m := newTestIMAP(t, addr)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := deliverOne(t.Context(), m, testMail("a@covebridge", 300), nil)
		runtime.ReadMemStats(&after)
		e := wantClass(t, err, Unavailable)
		if !strings.Contains(e.Error(), "line of more than 8 MiB") || len(e.Error()) > 1000 {
			t.Errorf("%s: %.300v", name, e)
		}
		if took := (after.TotalAlloc - before.TotalAlloc) >> 20; took > 150 { // 100 are the test's own server's
			t.Errorf("%s: %d MiB", name, took)
		}
	}
}

// Whatever pieces a line comes in, its length is counted alike.
func FuzzIMAPLines(f *testing.F) {
	f.Add("* OK x\r\n* 1 FETCH (BODY[] {3}\r\nabc UID 3)\r\n* BYE later\r\n", 3)
	f.Add("{9999999999999999999}\r\n", 1)
	f.Fuzz(func(t *testing.T, s string, piece int) {
		var whole, pieces imapLines
		err := whole.scan([]byte(s))
		var err2 error
		for rest := []byte(s); len(rest) > 0 && err2 == nil; {
			n := min(max(piece, 1), len(rest))
			err2 = pieces.scan(rest[:n])
			rest = rest[n:]
		}
		if (err == nil) != (err2 == nil) || err == nil && (whole.line != pieces.line || whole.goodbye() != pieces.goodbye()) {
			t.Errorf("whole: %v, %d, %q; in pieces: %v, %d, %q", err, whole.line, whole.goodbye(), err2, pieces.line, pieces.goodbye())
		}
	})
}
