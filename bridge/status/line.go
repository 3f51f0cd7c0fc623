package status

import (
	"fmt"
	"strings"
)

// Line tells how things stand in one line: the worst finding first.
func (s Status) Line() string {
	var parts []string
	if len(s.Findings) > 0 {
		parts = append(parts, fmt.Sprintf("%s: %s", s.Findings[0].Severity, s.Findings[0].What))
	}
	if more := len(s.Findings) - 1; more > 0 {
		parts = append(parts, fmt.Sprintf("%d more (covebridge status)", more))
	}
	devices := 0
	for _, a := range s.Accounts {
		devices += a.Devices
	}
	return strings.Join(append(parts, fmt.Sprintf("%d devices, %d mails wait", devices, s.Backlog.Mails)), "; ")
}
