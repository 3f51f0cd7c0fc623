// Package backupchecks holds the parser rule that teaches Backupchecks to read
// the bridge's mails: covebridge.py. INSTALL.md says how to add it.
package backupchecks

import (
	_ "embed"
	"net/mail"
	"regexp"
	"strconv"
	"strings"
)

//go:embed covebridge.py
var rule string

var (
	senderLine    = regexp.MustCompile(`(?m)^SENDER = .*$`)
	softwaresLine = regexp.MustCompile(`(?m)^SOFTWARES = .*$`)
)

// Rule gives the rule as a Python module for mails from the sender (an address,
// or an address with a name) that tell of the backup softwares, as
// "Cove Data Protection"; none: those that the bridge knows today.
func Rule(sender string, softwares ...string) string {
	if a, err := mail.ParseAddress(sender); err == nil {
		sender = a.Address
	}
	text := senderLine.ReplaceAllLiteralString(rule, "SENDER = "+literal(sender))
	if len(softwares) > 0 {
		var b strings.Builder
		for _, s := range softwares {
			b.WriteString(literal(s) + ", ")
		}
		text = softwaresLine.ReplaceAllLiteralString(text, "SOFTWARES = ("+strings.TrimRight(b.String(), " ")+")")
	}
	return text
}

// literal writes a text as a Python string. Go's escapes of a quoted ASCII
// string are Python's as well.
func literal(s string) string { return strconv.QuoteToASCII(strings.ToValidUTF8(s, "\uFFFD")) }
