package mailbox

import (
	"encoding/base64"
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// longest is how much of a server's words is kept.
const longest = 500

// oneLine makes text from outside fit for a log, a page and a mail: one line,
// not without end, and nothing that a terminal obeys or that turns the reading
// direction round.
func oneLine(s string) string {
	cut := len(s) > 4*longest // before each letter is looked at
	if cut {
		s = s[:4*longest]
	}
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	s = strings.TrimSpace(s)
	if len(s) > longest {
		s, cut = strings.ToValidUTF8(s[:longest], ""), true
	}
	if cut {
		s += "…"
	}
	return s
}

// secrets are what no error may hold, though a server may echo it.
type secrets []string

// hide replaces each secret, in the forms that protocols give it: as it is,
// as SASL sends it, and within an IMAP quoted string (RFC 9051 section 4.3).
func (s secrets) hide(text string) string {
	for _, secret := range s {
		if len(secret) < 4 { // would blot out half of every text, and protects nothing
			continue
		}
		for _, form := range []string{quotedForm.Replace(secret), secret, base64.StdEncoding.EncodeToString([]byte(secret))} {
			text = strings.ReplaceAll(text, form, "***")
		}
	}
	return text
}

var quotedForm = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// clean gives the error, without its chain if that holds a secret.
func (s secrets) clean(err error) error {
	if text := err.Error(); s.hide(text) != text {
		return errors.New(s.hide(text))
	}
	return err
}

// backoff reads how long Exchange wants to be left alone. It says so in the
// text of NO and BAD: "Request is throttled. Suggested Backoff Time: 299609 milliseconds".
var backoff = regexp.MustCompile(`(?i)backoff time:? *(\d{1,9}) *(?:milliseconds|ms)`)

func suggestedBackoff(text string) time.Duration {
	m := backoff.FindStringSubmatch(text)
	if m == nil {
		return 0
	}
	ms, _ := strconv.Atoi(m[1])
	return min(time.Duration(ms)*time.Millisecond, time.Hour)
}
