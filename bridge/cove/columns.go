package cove

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// field is the number of a data source's field: 0 for F00.
type field int

// The fields of a data source that are read.
const (
	fStatus         field = 0
	fSelectedCount  field = 1
	fProcessedCount field = 2
	fSelectedBytes  field = 3
	fProcessedBytes field = 4
	fSentBytes      field = 5
	fErrors         field = 6
	fColourBar      field = 8
	fDuration       field = 12 // seconds, of the last session
	fTime           field = 15 // of the last session; whether its start or its end is not settled
	fDoneStatus     field = 17 // of the last session that completed
	fDoneTime       field = 18 // its end
)

// sessionFields tell of sessions: they are asked for of every data source, and
// a device has changed when one of them has.
var sessionFields = []field{fStatus, fSelectedCount, fProcessedCount, fSelectedBytes, fProcessedBytes, fSentBytes,
	fErrors, fDuration, fTime, fDoneStatus, fDoneTime}

// The device columns that are read.
const (
	colID       = "I0"
	colName     = "I1"
	colAlias    = "I2"
	colCreated  = "I4"
	colCustomer = "I8"
	colUsed     = "I14"
	colOS       = "I16"
	colComputer = "I18"
	colZone     = "I24"
	colOSType   = "I32"
	colType     = "I59"
	colSources  = "I78"
)

var deviceColumns = []string{colID, colName, colAlias, colCreated, colCustomer, colUsed, colOS, colComputer, colZone,
	colOSType, colType, colSources, column(total, fColourBar)}

// column is the one spelling that is asked for and kept: D01F00. The vendor
// calls the zeros mandatory, though D1F0 works for many.
func column(s source, f field) string { return fmt.Sprintf("D%02dF%02d", int(s), int(f)) }

// twoLetters are the other names of device columns.
var twoLetters = map[string]int{
	"AU": 0, "AN": 1, "AL": 2, "CD": 4, "ED": 5, "TS": 6, "AR": 8, "PD": 9, "PN": 10, "LN": 11, "AG": 12, "US": 14, "EM": 15,
	"OS": 16, "VN": 17, "MN": 18, "IP": 19, "EI": 20, "TZ": 24, "OT": 32, "YS": 36, "YV": 37, "RU": 39, "OI": 54, "OP": 56,
	"AT": 59, "PF": 77, "AP": 78,
}

// shortSources are the first signs of the short codes. S is D07's as well.
var shortSources = map[byte]source{
	'F': 1, 'S': 2, 'Q': 3, 'X': 4, 'N': 6, 'W': 8, 'T': 9, 'Z': 10, 'P': 11, 'Y': 12, 'H': 14, 'L': 15, 'V': 16, 'B': 17,
	'G': 19, 'J': 20,
}

// shortFields are their second signs, in the order of the fields. Mind that 6
// and 7 are swapped.
const shortFields = "0123457" + "6BL89AIRGQJOKM@"

var (
	deviceColumn = regexp.MustCompile(`^I(\d{1,4})$`)
	longColumn   = regexp.MustCompile(`^D(\d{1,2})F(\d{1,2})$`)
	fieldOnly    = regexp.MustCompile(`^F(\d{2})$`)
)

// canonical gives the one spelling of a column: I0 for AU and I00, D01F00 for
// D1F0, for F0 (the short code: Files and folders, sign 0) and for F00 (the
// field alone, where Files and folders is meant). What it does not know stays.
func canonical(name string) string {
	name = strings.ToUpper(strings.TrimSpace(name))
	if n, ok := twoLetters[name]; ok {
		return "I" + strconv.Itoa(n)
	}
	if m := deviceColumn.FindStringSubmatch(name); m != nil {
		n, _ := strconv.Atoi(m[1])
		return "I" + strconv.Itoa(n)
	}
	if m := longColumn.FindStringSubmatch(name); m != nil {
		s, _ := strconv.Atoi(m[1])
		f, _ := strconv.Atoi(m[2])
		return column(source(s), field(f))
	}
	if m := fieldOnly.FindStringSubmatch(name); m != nil {
		f, _ := strconv.Atoi(m[1])
		return column(1, field(f))
	}
	if len(name) == 2 {
		s, ok := shortSources[name[0]]
		if f := strings.IndexByte(shortFields, name[1]); ok && f >= 0 {
			return column(s, field(f))
		}
	}
	return name
}

// sourceOf gives the data source and the field of a canonical column.
func sourceOf(name string) (source, field, bool) {
	m := longColumn.FindStringSubmatch(name)
	if m == nil {
		return 0, 0, false
	}
	s, _ := strconv.Atoi(m[1])
	f, _ := strconv.Atoi(m[2])
	return source(s), field(f), true
}
