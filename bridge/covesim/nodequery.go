package covesim

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

func itoa(v int64) string { return strconv.FormatInt(v, 10) }

// Bits of the query field Type.
const (
	backupType  = 1
	restoreType = 2
)

// fields gives the query fields of a session. The node knows the start of a
// session even where its row does not tell.
func (d *device) fields(x Session) lookup {
	return func(name string) string {
		switch name {
		case "Id", "SessionId":
			return itoa(x.ID)
		case "BackupStartTime", "StartTime":
			return itoa(seconds(x.Start))
		case "BackupEndTime", "EndTime":
			return itoa(seconds(x.End))
		case "Plugin":
			return strconv.Itoa(d.source(x.Source).id)
		case "Status":
			return strconv.Itoa(d.reportedStatus(x))
		case "Type":
			if x.Restore {
				return strconv.Itoa(restoreType)
			}
			return strconv.Itoa(backupType)
		case "ErrorsCount":
			return itoa(d.reportedErrors(x))
		case "SelectedSize":
			return itoa(x.SelectedBytes)
		case "SelectedCount":
			return itoa(x.SelectedCount)
		}
		return ""
	}
}

// source gives the device's data source of that code.
func (d *device) source(code string) source {
	return d.sources[slices.IndexFunc(d.sources, func(s source) bool { return s.code == code })]
}

// reportedStatus is the status in history: some nodes call a session completed
// and leave it to the count of errors.
func (d *device) reportedStatus(x Session) int {
	if x.Status == CompletedWithErrors && d.has(PlainCompleted) {
		return Completed
	}
	return x.Status
}

// reportedErrors is the count of errors in history; where only it can tell that
// not all went well, it does.
func (d *device) reportedErrors(x Session) int64 {
	if d.has(NoErrorsCount) && d.reportedStatus(x) == x.Status {
		return 0
	}
	return x.ErrorsCount
}

// statusWord is Cove's word, or the number where there is none.
func statusWord(status int) any {
	if word, ok := statusWords[status]; ok {
		return word
	}
	return status
}

var startBound = regexp.MustCompile(`BackupStartTime\s*>=?\s*(\d+)`)

// lowerBound gives the time before which no session can meet the query, so
// that history need not be gone through to its beginning; 0: it must.
func lowerBound(query string) int64 {
	if strings.ContainsAny(query, "!|") || strings.Contains(strings.ToLower(query), " or ") {
		return 0
	}
	m := startBound.FindStringSubmatch(query)
	if m == nil {
		return 0
	}
	t, _ := strconv.ParseInt(m[1], 10, 64)
	return t
}
