package backup

import (
	"fmt"
	"strings"
)

// Status is the outcome of a session or a run, in the three words that
// Backupchecks knows. They order from best to worst.
type Status int

// The three outcomes.
const (
	Success Status = iota
	Warning
	Failed
)

var statusWords = [...]string{"Success", "Warning", "Failed"}

// String gives the word exactly as Backupchecks expects it.
func (s Status) String() string {
	if s < Success || s > Failed {
		return fmt.Sprintf("Status(%d)", int(s))
	}
	return statusWords[s]
}

// ParseStatus reads one of the words Success, Warning and Failed, in any case.
func ParseStatus(word string) (Status, error) {
	for i, w := range statusWords {
		if strings.EqualFold(w, word) {
			return Status(i), nil
		}
	}
	return 0, fmt.Errorf("%q is no status: use Success, Warning or Failed", word)
}

// MarshalText writes the status as its word.
func (s Status) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (s *Status) UnmarshalText(text []byte) (err error) {
	*s, err = ParseStatus(string(text))
	return err
}
