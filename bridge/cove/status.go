package cove

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"covebridge/bridge/backup"
)

// Session statuses (Cove API document, Session status). Other tables that go
// round in scripts are wrong. 4 and 13 were seen, but are not documented.
const (
	stNone                 = 0
	stInProcess            = 1
	stFailed               = 2
	stAborted              = 3
	stUnknown              = 4
	stCompleted            = 5
	stInterrupted          = 6
	stNotStarted           = 7
	stCompletedWithErrors  = 8
	stInProgressWithFaults = 9
	stOverQuota            = 10
	stNoSelection          = 11
	stRestarted            = 12
	stBlocked              = 13
)

var statusWords = map[int64]string{
	stInProcess: "InProcess", stFailed: "Failed", stAborted: "Aborted", stUnknown: "Unknown", stCompleted: "Completed",
	stInterrupted: "Interrupted", stNotStarted: "NotStarted", stCompletedWithErrors: "CompletedWithErrors",
	stInProgressWithFaults: "InProgressWithFaults", stOverQuota: "OverQuota", stNoSelection: "NoSelection",
	stRestarted: "Restarted", stBlocked: "Blocked",
}

var statusNumbers = func() map[string]int64 {
	numbers := map[string]int64{"inprogress": stInProcess, "none": stNone}
	for n, word := range statusWords {
		numbers[strings.ToLower(word)] = n
	}
	return numbers
}()

// status is a session's, as Cove tells it: a number, or a word that no table
// has.
type status struct {
	number int64
	word   string // set for an unknown word only
}

// status reads a number or a word. Without one there is no session.
func (v value) status() status {
	if n, ok := v.number(); ok {
		return status{number: n}
	}
	word := strings.TrimSpace(v.text)
	if n, ok := statusNumbers[strings.ToLower(strings.NewReplacer(" ", "", "_", "").Replace(word))]; ok || word == "" {
		return status{number: n}
	}
	return status{number: stUnknown, word: truncate(word, 100)}
}

func (s status) none() bool    { return s.number == stNone && s.word == "" }
func (s status) running() bool { return s.number == stInProcess || s.number == stInProgressWithFaults }

// String is Cove's word with its number.
func (s status) String() string {
	if s.word != "" {
		return "Unknown status " + s.word
	}
	if word, ok := statusWords[s.number]; ok {
		return fmt.Sprintf("%s (%d)", word, s.number)
	}
	return fmt.Sprintf("Unknown status %d", s.number)
}

// state tells whether the session is over.
func (s status) state() backup.State {
	switch {
	case s.running():
		return backup.Running
	case s.number == stRestarted:
		return backup.Restarted
	}
	return backup.Ended
}

// statusMap gives statuses another outcome than the rule does.
type statusMap struct {
	numbers map[int64]backup.Status
	words   map[string]backup.Status // those that no table has, in lower case
}

// newStatusMap reads the keys as Cove's numbers and words are read. Digits sort
// before letters, so that of two keys for one status the number counts.
func newStatusMap(configured map[string]backup.Status) statusMap {
	m := statusMap{map[int64]backup.Status{}, map[string]backup.Status{}}
	for _, key := range slices.Sorted(maps.Keys(configured)) {
		st := value{key, true}.status()
		if st.word != "" {
			m.words[strings.ToLower(st.word)] = configured[key]
		} else if _, twice := m.numbers[st.number]; !twice {
			m.numbers[st.number] = configured[key]
		}
	}
	return m
}

func (m statusMap) get(s status) (mapped backup.Status, ok bool) {
	if s.word != "" {
		mapped, ok = m.words[strings.ToLower(s.word)]
	} else {
		mapped, ok = m.numbers[s.number]
	}
	return mapped, ok
}

// outcome maps a status to one of the three that the reader knows.
func (c *Client) outcome(s status, errors int64) backup.Status {
	if mapped, ok := c.statuses.get(s); ok {
		return mapped
	}
	switch {
	case s.word != "":
		return backup.Warning
	case s.number == stCompleted && errors <= 0:
		return backup.Success
	}
	switch s.number {
	case stFailed, stAborted, stInterrupted, stNotStarted, stOverQuota, stBlocked:
		return backup.Failed
	}
	return backup.Warning
}
