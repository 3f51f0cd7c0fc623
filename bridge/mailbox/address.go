package mailbox

import (
	"fmt"
	"net/mail"
	"strings"

	"golang.org/x/net/idna"
)

// ASCIIAddress writes the domain of a mail address in its ASCII form
// (RFC 5891): "a@bücher.de" becomes "a@xn--bcher-kva.de". What stands before
// the @ is left as it is; letters beyond ASCII there have no other form, and
// need a server with SMTPUTF8 (RFC 6531). The address comes without a name or
// angle brackets. The error tells of a domain that can't be one.
func ASCIIAddress(address string) (string, error) {
	at := strings.LastIndexByte(address, '@')
	if at < 0 || isASCII(address[at:]) {
		return address, nil
	}
	domain, err := idna.Lookup.ToASCII(address[at+1:])
	if err != nil {
		return "", fmt.Errorf("the domain of %s: %w", oneLine(address), err)
	}
	return address[:at+1] + domain, nil
}

// envelopeAddress is what goes into the envelope, also where a name stands
// before it. utf8: only a server with SMTPUTF8 can take it.
func envelopeAddress(s string) (address string, utf8 bool, err error) {
	if a, err := mail.ParseAddress(s); err == nil {
		s = a.Address
	}
	address, err = ASCIIAddress(s)
	return address, !isASCII(address), err
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] > 0x7f {
			return false
		}
	}
	return true
}
