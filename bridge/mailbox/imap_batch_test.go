package mailbox

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"

	"covebridge/bridge/internal/faultproxy"
)

// batch makes mails of these sizes.
func batch(name string, sizes ...int) (mails []Mail) {
	for i, size := range sizes {
		mails = append(mails, testMail(fmt.Sprintf("%s-%d@covebridge", name, i), size))
	}
	return mails
}

func repeat(size, n int) (sizes []int) {
	for range n {
		sizes = append(sizes, size)
	}
	return sizes
}

// appends is an IMAP server with LITERAL+ that holds its answers to APPEND
// back until it has so many, and then gives those of answers.
type appends struct {
	addr    string
	hold    int
	answers func(i int) string // of the i-th, without the tag
}

func (s *appends) start(t *testing.T) *appends {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	s.addr = ln.Addr().String()
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go s.serve(conn)
		}
	}()
	return s
}

func (s *appends) serve(conn net.Conn) {
	defer conn.Close()
	io.WriteString(conn, "* OK [CAPABILITY IMAP4rev1 LITERAL+ UIDPLUS AUTH=PLAIN SASL-IR] ready\r\n")
	var held []string
	for r := bufio.NewReader(conn); ; {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		tag, command, _ := strings.Cut(line, " ")
		switch {
		case strings.HasPrefix(command, "APPEND"):
			var size int64
			fmt.Sscanf(command[strings.LastIndexByte(command, '{'):], "{%d", &size)
			io.CopyN(io.Discard, r, size)
			r.ReadString('\n')
			if held = append(held, tag); len(held) == s.hold {
				for i, tag := range held {
					fmt.Fprintf(conn, "%s %s\r\n", tag, s.answers(i))
				}
				held = nil
			}
		case strings.HasPrefix(command, "CAPABILITY"):
			fmt.Fprintf(conn, "* CAPABILITY IMAP4rev1 LITERAL+ UIDPLUS\r\n%s OK done\r\n", tag)
		case strings.HasPrefix(command, "STATUS"):
			fmt.Fprintf(conn, "* STATUS INBOX (UIDNEXT 1 UIDVALIDITY 1)\r\n%s OK done\r\n", tag)
		default:
			fmt.Fprintf(conn, "%s OK done\r\n", tag)
		}
	}
}

// Small mails don't wait for each other: a server that answers none before it
// has all gets all. Each has its own result.
func TestIMAPPipelined(t *testing.T) {
	server := (&appends{hold: 32, answers: func(i int) string {
		switch i {
		case 3:
			return "NO APPEND failed."
		case 5:
			return "NO [TOOBIG] too big"
		case 7:
			return "NO [UNAVAILABLE] a disk is slow"
		}
		return fmt.Sprintf("OK [APPENDUID 1 %d] done", i+1)
	}}).start(t)
	m := newTestIMAP(t, server.addr)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var b begun
	results := m.Deliver(ctx, batch("p", repeat(3900, 32)...), b.begin)
	if len(b.marks) != 1 || b.marks[0] != "imap:INBOX:1:1" {
		t.Errorf("begin got %q", b.marks)
	}
	for i, r := range results {
		want, bad := map[int]Class{3: Rejected, 5: Final, 7: Unavailable}[i]
		if bad {
			wantClass(t, r.Err, want)
		} else if r.Err != nil || r.Receipt != fmt.Sprintf("imap INBOX uid %d uidvalidity 1", i+1) {
			t.Errorf("%d: %q, %v", i, r.Receipt, r.Err)
		}
	}
}

// A batch goes out on one connection, with or without LITERAL+, and whatever
// the sizes; receipts stand at the places of their mails.
func TestIMAPBatch(t *testing.T) {
	for _, caps := range [][]imap.Cap{nil, {imap.CapUIDPlus, imap.CapLiteralPlus}, {imap.CapLiteralMinus}} {
		server := startMemory(t, caps...)
		w := tap(t, server.addr)
		m := newTestIMAP(t, w.addr)
		mails := batch("b", 300, 20000, 4000, 5000, 300)
		var b begun
		results := m.Deliver(t.Context(), mails, b.begin)
		var queries []Query
		for i, r := range results {
			if r.Err != nil {
				t.Fatal(r.Err)
			}
			queries = append(queries, Query{MessageID: mails[i].MessageID, Mark: b.marks[0]})
		}
		found, err := m.Find(t.Context(), queries)
		if err != nil {
			t.Fatal(err)
		}
		for i := range found {
			if !found[i].Found || found[i].Receipt != results[i].Receipt {
				t.Errorf("%v: receipt %q, found %q", caps, results[i].Receipt, found[i].Receipt)
			}
		}
		if n := server.count(t, "INBOX"); n != len(mails) || len(b.marks) != 1 {
			t.Errorf("%v: %d mails, begin got %q", caps, n, b.marks)
		}
		if w.said["FETCH"] != 1 || w.said["LOGIN"]+w.said["AUTHENTICATE"] != 1 {
			t.Errorf("%v: the client said %v", caps, w.said)
		}
	}
	m := newTestIMAP(t, "127.0.0.1:1")
	if r := m.Deliver(t.Context(), nil, nil); len(r) != 0 {
		t.Errorf("no mails: %v", r)
	}
}

// A refusal before the bytes costs the connection, but not the other mails,
// and its text is kept.
func TestIMAPBatchRefusal(t *testing.T) {
	for _, size := range sizes {
		server := startMemory(t, imap.CapUIDPlus)
		proxy := startProxy(t, faultproxy.IMAP, server.addr)
		m := newTestIMAP(t, proxy.Addr())
		no := faultproxy.Fault{At: faultproxy.BeforeMail, Do: faultproxy.Answer, Text: "NO [TOOBIG] 64 MB at most"}
		proxy.Script(faultproxy.Fault{}, no, faultproxy.Fault{}, no)
		results := m.Deliver(t.Context(), batch("r", repeat(size, 5)...), new(begun).begin)
		for i, r := range results {
			if i != 1 && i != 3 {
				if r.Err != nil {
					t.Errorf("%d: %v", i, r.Err)
				}
			} else if e := wantClass(t, r.Err, Final); e.Text != no.Text {
				t.Errorf("%d: text %q", i, e.Text)
			}
		}
		if n := server.count(t, "INBOX"); n != 3 {
			t.Errorf("%d mails, want 3", n)
		}
	}
}

// Once the server is ill, the rest of the batch leaves it alone.
func TestIMAPBatchIll(t *testing.T) {
	server := startMemory(t)
	proxy := startProxy(t, faultproxy.IMAP, server.addr)
	m := newTestIMAP(t, proxy.Addr())
	const text = "NO Request is throttled. Suggested Backoff Time: 299609 milliseconds"
	proxy.Script(faultproxy.Fault{}, faultproxy.Fault{At: faultproxy.BeforeMail, Do: faultproxy.Answer, Text: text})
	results := m.Deliver(t.Context(), batch("i", repeat(20000, 32)...), new(begun).begin)
	for i, r := range results {
		if i == 0 {
			if r.Err != nil {
				t.Error(r.Err)
			}
			continue
		}
		if e := wantClass(t, r.Err, Unavailable); e.Text != text || e.RetryAfter != 299609*time.Millisecond {
			t.Errorf("%d: %+v", i, e)
		}
	}
	if mails, _ := proxy.Counts(); mails != 2 {
		t.Errorf("%d mails were tried, want 2", mails)
	}
}

// The folder is made once, and the mails that missed it go out again.
func TestIMAPBatchMakesFolder(t *testing.T) {
	for _, caps := range [][]imap.Cap{nil, {imap.CapUIDPlus, imap.CapLiteralPlus}} {
		server := startMemory(t, caps...)
		m := newTestIMAP(t, server.addr, func(o *IMAPOptions) { o.Mailbox, o.Create = "Cove", true })
		mustDeliver(t, m, testMail("first@covebridge", 300))
		if err := server.Delete("Cove"); err != nil {
			t.Fatal(err)
		}
		var b begun
		for _, r := range m.Deliver(t.Context(), batch("f", 300, 20000, 300, 300), b.begin) {
			if r.Err != nil {
				t.Error(r.Err)
			}
		}
		if n := server.count(t, "Cove"); n != 4 || len(b.marks) != 1 {
			t.Errorf("%v: %d mails, begin got %q", caps, n, b.marks)
		}
	}
}

func TestIMAPBatchBeginRefuses(t *testing.T) {
	server := startMemory(t)
	m := newTestIMAP(t, server.addr)
	lost := errors.New("lease lost")
	for _, r := range m.Deliver(t.Context(), batch("x", 300, 300), func(string) error { return lost }) {
		if !errors.Is(r.Err, lost) {
			t.Errorf("got %v, want begin's error", r.Err)
		}
	}
	if n := server.count(t, "INBOX"); n != 0 {
		t.Errorf("%d mails arrived", n)
	}
}
