package faultproxy

import (
	"io"
	"strings"
)

// smtp passes on what an SMTP client says.
func (l *link) smtp() {
	var fault Fault
	at := func(p Point) bool { return fault.At == p && fault.Do != Nothing }
	for {
		line, err := l.up.ReadString('\n')
		if err != nil {
			return
		}
		command := strings.ToUpper(strings.TrimSpace(line))
		switch {
		case strings.HasPrefix(command, "MAIL FROM:"):
			fault = l.proxy.next()
			if at(BeforeMail) && !l.strike(fault, "") {
				if l.over() {
					return
				}
				continue // answered
			}
		case command == "DATA":
			if at(BeforeData) && !l.strike(fault, "") {
				if l.over() {
					return
				}
				continue
			}
			if fault.Do == Answer && (fault.At == InData || fault.At == BeforeEnd) {
				l.swallow()
				l.answer("", fault.Text)
				continue
			}
			io.WriteString(l.server, line)
			if !l.data(fault) {
				return
			}
			continue
		}
		if _, err := io.WriteString(l.server, line); err != nil {
			return
		}
	}
}

// swallow takes a mail that the server gets nothing of.
func (l *link) swallow() {
	l.answer("", "354 go ahead")
	for {
		line, err := l.up.ReadString('\n')
		if err != nil || strings.TrimRight(line, "\r\n") == "." {
			return
		}
	}
}

// data passes on a mail with its fault, and tells whether the connection goes
// on. A server that does not want the mail after all says so to DATA: then
// commands follow, and pass as well.
func (l *link) data(fault Fault) bool {
	at := func(p Point) bool { return fault.At == p && fault.Do != Nothing }
	for lines := 0; ; lines++ {
		line, err := l.up.ReadString('\n')
		if err != nil {
			return false
		}
		end := strings.TrimRight(line, "\r\n") == "."
		if at(InData) && (lines == 5 || end && lines < 5) && !l.strike(fault, "") {
			return false
		}
		if end && at(BeforeEnd) && !l.strike(fault, "") {
			return false
		}
		if end && at(AfterEnd) {
			l.holdBack(fault, "", func(string) bool { return true })
		}
		if _, err := io.WriteString(l.server, line); err != nil {
			return false
		}
		if end {
			return true
		}
	}
}
