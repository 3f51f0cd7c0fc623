package cove

import (
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// keptVisas is how many of the newest visas are remembered: far more than are
// good at the same time.
const keptVisas = 256

// secrets remembers what must never be shown.
type secrets struct {
	mu      sync.Mutex
	visas   []string // newest last
	lasting map[string]bool
}

// add remembers a secret that does not age: the password, a device's token.
func (s *secrets) add(secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lasting == nil {
		s.lasting = map[string]bool{}
	}
	if secret != "" {
		s.lasting[secret] = true
	}
}

func (s *secrets) addVisa(visa string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if slices.Contains(s.visas, visa) {
		return
	}
	if s.visas = append(s.visas, visa); len(s.visas) > keptVisas {
		s.visas = slices.Clone(s.visas[len(s.visas)-keptVisas:])
	}
}

// Secrets gives the password, the newest visas and the device tokens that the
// client has used so far, so that they can be kept out of logs and tested for.
func (c *Client) Secrets() []string {
	c.secrets.mu.Lock()
	defer c.secrets.mu.Unlock()
	all := slices.Clone(c.secrets.visas)
	for secret := range c.secrets.lasting {
		all = append(all, secret)
	}
	return all
}

// visaLike is the usual look of a visa: numbers, the time of its issue, hex.
var visaLike = regexp.MustCompile(`\d+-\d+-\d+-\d{9,11}-[0-9A-Za-z+/=_-]{6,}`)

// shortSecret is the length under which a secret is not looked for in texts:
// it would be found everywhere.
const shortSecret = 4

// maxMessage is how much of a text of Cove's an error quotes, in bytes.
const maxMessage = 500

// quote makes a text of Cove's fit for an error: one line, no control
// characters, cut, and without secrets.
func (c *Client) quote(text string) string {
	if len(text) > 16*maxMessage {
		text = text[:16*maxMessage]
	}
	for _, secret := range c.Secrets() {
		if len(secret) >= shortSecret {
			text = strings.ReplaceAll(text, secret, "[secret]")
		}
	}
	text = visaLike.ReplaceAllString(text, "[secret]")
	text = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(text, "\uFFFD"), func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r)
	}), " ")
	return cut(text, maxMessage)
}

// cut shortens a text to so many bytes, and never within a character.
func cut(text string, size int) string {
	if len(text) <= size {
		return text
	}
	size -= len("…")
	for size > 0 && !utf8.RuneStart(text[size]) {
		size--
	}
	return text[:size] + "…"
}
