package faultproxy

import (
	"bufio"
	"io"
	"net"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// link is one connection that is passed on.
type link struct {
	proxy          *Proxy
	client, server net.Conn
	up             *bufio.Reader // from the client
	gone           chan struct{} // closed by cut
	once           sync.Once

	mu   sync.Mutex
	hold func(line string) bool // is this the answer to hold back?
	then Fault                  // and what to do about it
	tag  string                 // of the command it answers; empty in SMTP
}

func newLink(p *Proxy, client, server net.Conn) *link {
	return &link{proxy: p, client: client, server: server, up: bufio.NewReader(client), gone: make(chan struct{})}
}

func (l *link) cut() {
	l.once.Do(func() { close(l.gone) })
	l.client.Close()
	l.server.Close()
}

// down passes on what the server says, but for an answer to be held back.
func (l *link) down() {
	defer l.cut()
	from := bufio.NewReader(l.server)
	for {
		line, err := from.ReadString('\n')
		if err != nil {
			io.WriteString(l.client, line)
			return
		}
		if fault, tag, held := l.held(line); held {
			if !l.strike(fault, tag) {
				continue
			}
		}
		if _, err := io.WriteString(l.client, line); err != nil {
			return
		}
		if n, _, ok := literal(line); ok && l.proxy.protocol == IMAP {
			if _, err := io.CopyN(l.client, from, n); err != nil {
				return
			}
		}
	}
}

// holdBack makes down strike at the answer that is recognised by is.
func (l *link) holdBack(f Fault, tag string, is func(line string) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hold, l.then, l.tag = is, f, tag
}

func (l *link) held(line string) (f Fault, tag string, held bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.hold == nil || !l.hold(line) {
		return Fault{}, "", false
	}
	l.hold = nil
	return l.then, l.tag, true
}

// strike does what the fault says, and tells whether things go on as if
// nothing had been. After Cut and Stall the connection is gone.
func (l *link) strike(f Fault, tag string) (on bool) {
	switch f.Do {
	case Delay:
		select {
		case <-time.After(f.Delay):
			return true
		case <-l.gone:
		}
	case Answer:
		l.answer(tag, f.Text)
		return false
	case Cut:
		l.cut()
	case Stall:
		// What the client still sends goes nowhere. up may be in use by the
		// other direction, so the connection itself is read.
		io.Copy(io.Discard, l.client)
		l.cut()
	default:
		return true
	}
	return false
}

func (l *link) answer(tag, text string) {
	if tag != "" {
		text = tag + " " + text
	}
	io.WriteString(l.client, text+"\r\n")
}

// over tells whether the connection was cut.
func (l *link) over() bool {
	select {
	case <-l.gone:
		return true
	default:
		return false
	}
}

var literalAtEnd = regexp.MustCompile(`\{(\d+)(\+?)\}\r?\n$`)

// literal reads the announcement of a literal at the end of a line (RFC 9051 section 4.3).
func literal(line string) (size int64, waits, ok bool) {
	m := literalAtEnd.FindStringSubmatch(line)
	if m == nil {
		return 0, false, false
	}
	size, err := strconv.ParseInt(m[1], 10, 64)
	return size, m[2] == "", err == nil
}

// imap passes on what an IMAP client says.
func (l *link) imap() {
	for {
		line, err := l.up.ReadString('\n')
		if err != nil {
			return
		}
		words := strings.Fields(line)
		if len(words) > 2 && strings.EqualFold(words[1], "APPEND") {
			if !l.append(words[0], line) {
				return
			}
			continue
		}
		if _, err := io.WriteString(l.server, line); err != nil {
			return
		}
		if n, _, ok := literal(line); ok {
			if _, err := io.CopyN(l.server, l.up, n); err != nil {
				return
			}
		}
	}
}

// append passes on an APPEND with its fault, and tells whether the connection goes on.
func (l *link) append(tag, line string) bool {
	fault := l.proxy.next()
	size, waits, _ := literal(line)
	at := func(p Point) bool { return fault.At == p && fault.Do != Nothing }

	if fault.Do == Answer && fault.At != AfterEnd {
		if waits && fault.At != BeforeMail {
			l.answer("+", "go ahead")
		}
		if !waits || fault.At != BeforeMail {
			io.CopyN(io.Discard, l.up, size)
			l.up.ReadString('\n')
		}
		l.answer(tag, fault.Text)
		return true
	}
	if at(BeforeMail) && !l.strike(fault, tag) {
		return false
	}
	if at(AfterEnd) {
		l.holdBack(fault, tag, func(line string) bool { return strings.HasPrefix(line, tag+" ") })
	}
	io.WriteString(l.server, line)
	if at(BeforeData) && !l.strike(fault, tag) {
		return false
	}
	io.CopyN(l.server, l.up, size/2)
	if at(InData) && !l.strike(fault, tag) {
		return false
	}
	io.CopyN(l.server, l.up, size-size/2)
	if at(BeforeEnd) && !l.strike(fault, tag) {
		return false
	}
	end, err := l.up.ReadString('\n')
	io.WriteString(l.server, end)
	return err == nil && !l.over()
}
