package mailbox

import "net/mail"

// envelopeAddress is what goes into the envelope, also where a name stands
// before it. ascii: any server can take it.
func envelopeAddress(s string) (address string, ascii bool) {
	if a, err := mail.ParseAddress(s); err == nil {
		s = a.Address
	}
	return s, isASCII(s)
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] > 0x7f {
			return false
		}
	}
	return true
}
