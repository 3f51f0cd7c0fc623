package message

import (
	"cmp"
	"encoding/base64"
	"net/mail"
	"strings"
	"unicode/utf8"
)

// lineLength is how long a folded line may be: RFC 2047 section 2 allows 76
// characters for lines that hold encoded words, RFC 5322 section 2.1.1 asks
// for no more than 78.
const lineLength = 76

// foldField writes one header field, folded between its tokens. A token alone
// may be longer than a line should be; it must not be longer than one may be
// (998, RFC 5322 section 2.1.1).
func foldField(name string, tokens []string) []byte {
	var b strings.Builder
	b.WriteString(name + ":")
	at := len(name) + 1
	for i, t := range tokens {
		if i > 0 && at+1+len(t) > lineLength {
			b.WriteString("\r\n")
			at = 0
		}
		b.WriteString(" " + t)
		at += 1 + len(t)
	}
	b.WriteString("\r\n")
	return []byte(b.String())
}

// unstructured gives the tokens of a free text (RFC 5322 section 3.2.5): its
// words, or encoded words where it can't stand as it is. first is the room
// taken on the first line.
func unstructured(text string, first int) []string {
	text = cmp.Or(oneLine(text), none)
	if isPlain(text) {
		return strings.Split(text, " ")
	}
	return encodedWords(text, first)
}

// isPlain tells whether a text can stand in a header as it is.
func isPlain(text string) bool {
	if strings.Contains(text, "=?") {
		return false
	}
	for _, word := range strings.Split(text, " ") {
		if len(word) > 400 {
			return false
		}
	}
	return ascii(text)
}

// ascii tells whether a text holds nothing but printable ASCII and spaces.
func ascii(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

// encodedWords writes a text as encoded words (RFC 2047), each of at most 75
// characters (section 2) and of whole characters of the text (section 5).
func encodedWords(text string, first int) []string {
	const open, end = "=?utf-8?b?", "?="
	room := func(width int) int { return (width - len(open) - len(end)) / 4 * 3 } // bytes of text
	limit := room(lineLength - 1 - first)
	var words []string
	for text != "" {
		n := 0
		for n < len(text) {
			_, l := utf8.DecodeRuneInString(text[n:])
			if n+l > limit && n > 0 {
				break
			}
			n += l
		}
		words = append(words, open+base64.StdEncoding.EncodeToString([]byte(text[:n]))+end)
		text, limit = text[n:], room(lineLength-1)
	}
	return words
}

// addresses gives the tokens of an address list (RFC 5322 section 3.4).
func addresses(list []*mail.Address, first int) []string {
	var tokens []string
	for i, a := range list {
		name := oneLine(a.Name)
		bare := (&mail.Address{Address: a.Address}).String()
		switch {
		case name == "":
		case isPlain(name):
			quoted := strings.TrimSuffix((&mail.Address{Name: name, Address: a.Address}).String(), bare)
			tokens = append(tokens, strings.Fields(quoted)...)
		default:
			tokens = append(tokens, encodedWords(name, first)...)
		}
		if i < len(list)-1 {
			bare += ","
		}
		tokens = append(tokens, bare)
	}
	return tokens
}
