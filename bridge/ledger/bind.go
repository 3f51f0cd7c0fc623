package ledger

import (
	"strings"
	"time"

	"covebridge/bridge/backup"
)

// bind makes arguments ready for both databases. Texts from outside can hold
// anything, while PostgreSQL refuses NUL and invalid UTF-8: both become U+FFFD,
// in what is stored as in what is looked for.
func bind(args []any) []any {
	bound := make([]any, len(args))
	for i, a := range args {
		switch a := a.(type) {
		case string:
			bound[i] = clean(a)
		case backup.EntryState:
			bound[i] = string(a)
		case time.Time:
			bound[i] = micros(a)
		case bool:
			bound[i] = int64(0)
			if a {
				bound[i] = int64(1)
			}
		case []byte:
			if a != nil { // a nil slice is NULL, not no bytes
				bound[i] = a
			}
		default:
			bound[i] = a
		}
	}
	return bound
}

func clean(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// micros gives a time in Unix microseconds; 0 for none.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// fromMicros reads what micros gave.
func fromMicros(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}
