package cove

import (
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// maxVisas is how many of the newest visas are remembered: far more than are
// good at the same time.
const maxVisas = 256

// shortSecret is the length under which a secret is not looked for in texts:
// it would be found everywhere.
const shortSecret = 4

// secrets remembers what must never be shown. However many there are, looking
// for them in a text costs little: of each its first bytes are known, with the
// lengths of those that begin so.
type secrets struct {
	mu      sync.Mutex
	visas   []string        // newest last
	lasting map[string]bool // the password and device tokens
	// spelled holds all of them in all spellings, and how many have each.
	spelled map[string]int
	lengths map[[shortSecret]byte][]int
}

// add remembers a secret that does not age: the password, a device's token.
func (s *secrets) add(secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if secret == "" || s.lasting[secret] {
		return
	}
	if s.lasting == nil {
		s.lasting = map[string]bool{}
	}
	s.lasting[secret] = true
	s.index(secret)
}

func (s *secrets) addVisa(visa string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if slices.Contains(s.visas, visa) {
		return
	}
	s.index(visa)
	if s.visas = append(s.visas, visa); len(s.visas) > maxVisas {
		for _, spelling := range spellings(s.visas[0]) {
			if s.spelled[spelling]--; s.spelled[spelling] <= 0 {
				delete(s.spelled, spelling)
			}
		}
		s.visas = slices.Clone(s.visas[1:])
	}
}

func (s *secrets) index(secret string) {
	if s.spelled == nil {
		s.spelled, s.lengths = map[string]int{}, map[[shortSecret]byte][]int{}
	}
	for _, spelling := range spellings(secret) {
		if len(spelling) < shortSecret {
			continue
		}
		s.spelled[spelling]++
		start := [shortSecret]byte([]byte(spelling))
		if n := s.lengths[start]; !slices.Contains(n, len(spelling)) {
			s.lengths[start] = append(n, len(spelling))
		}
	}
}

// spellings gives the ways in which a text may come back.
func spellings(secret string) []string {
	quoted, _ := json.Marshal(secret) // a string always can be
	inner := string(quoted[1 : len(quoted)-1])
	all := []string{secret, url.QueryEscape(secret), url.PathEscape(secret), inner, strings.ReplaceAll(inner, "/", `\/`)}
	slices.Sort(all)
	return slices.Compact(all)
}

// matchLength gives the length of the longest secret that the text begins with; 0: none.
func (s *secrets) matchLength(text string) (length int) {
	if len(text) < shortSecret {
		return 0
	}
	for _, n := range s.lengths[[shortSecret]byte([]byte(text[:shortSecret]))] {
		if n > length && n <= len(text) && s.spelled[text[:n]] > 0 {
			length = n
		}
	}
	return length
}

// mask writes the text without the secrets, and what of it begins within the
// first so many bytes: a secret that lies across the end is masked whole.
func (s *secrets) mask(text string, most int) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	for i := 0; i < min(len(text), most); {
		if n := s.matchLength(text[i:]); n > 0 {
			b.WriteString("[secret]")
			i += n
			continue
		}
		b.WriteByte(text[i])
		i++
	}
	return b.String()
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

// visaPattern is the usual look of a visa: numbers, the time of its issue, hex.
var visaPattern = regexp.MustCompile(`\d+-\d+-\d+-\d{9,11}-[0-9A-Za-z+/=_-]{6,}`)

const (
	maxMessage = 500             // bytes of a text of Cove's that an error quotes
	maxQuoted  = 16 * maxMessage // bytes that are looked at, for much of it may be white space
	maxVisa    = 200             // bytes of a visa, at most
)

// quote makes a text of Cove's fit for an error: one line, no control
// characters, cut, and without secrets.
func (c *Client) quote(text string) string {
	whole := len(text) <= maxQuoted
	masked := visaPattern.ReplaceAllString(c.secrets.mask(text, maxQuoted+maxVisa), "[secret]")
	if !whole {
		// A visa that nobody knows may lie across the end.
		masked = masked[:max(len(masked)-maxVisa, 0)]
	}
	line := strings.Join(strings.FieldsFunc(strings.ToValidUTF8(masked, "\uFFFD"), func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r)
	}), " ")
	return truncate(line, maxMessage)
}

// truncate shortens a text to so many bytes, and never within a character.
func truncate(text string, size int) string {
	if len(text) <= size {
		return text
	}
	size -= len("…")
	for size > 0 && !utf8.RuneStart(text[size]) {
		size--
	}
	return text[:size] + "…"
}
