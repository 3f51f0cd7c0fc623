package cove

import (
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
	fGood           field = 9  // when the last session ended that Cove calls successful
	fDuration       field = 12 // seconds, of the last session
	fTime           field = 15 // of the last session; whether its start or its end is not settled
	fGoodStatus     field = 16 // its status, which can be 8
	fDoneStatus     field = 17 // of the last session that completed
	fDoneTime       field = 18 // its end
)

// sessionFields tell of sessions: they are asked for of every data source, and
// a device has changed when one of them has.
var sessionFields = []field{fStatus, fSelectedCount, fProcessedCount, fSelectedBytes, fProcessedBytes, fSentBytes,
	fErrors, fDuration, fTime, fDoneStatus, fDoneTime}

// askedFields are all that are asked for of every data source.
var askedFields = append(sessionFields[:len(sessionFields):len(sessionFields)], fGood, fGoodStatus)

// isSessionField tells which of the fields are among them.
var isSessionField = func() (is [fDoneTime + 1]bool) {
	for _, f := range sessionFields {
		is[f] = true
	}
	return is
}()

// The device columns that are read.
const (
	colID       = "I0"
	colName     = "I1"
	colAlias    = "I2"
	colCreated  = "I4"
	colCustomer = "I8"
	colLocation = "I11"
	colUsed     = "I14"
	colOS       = "I16"
	colComputer = "I18"
	colZone     = "I24"
	colOSType   = "I32"
	colCloud    = "I36" // storage status
	colVault    = "I37" // of the LocalSpeedVault
	colProfile  = "I56"
	colType     = "I59"
	colRef      = "I77" // customer reference
	colMachine  = "I81" // physicality
	colSources  = "I78"
)

var deviceColumns = []string{colID, colName, colAlias, colCreated, colCustomer, colUsed, colOS, colComputer, colZone,
	colOSType, colType, colSources, colLocation, colCloud, colVault, colProfile, colRef, colMachine, column(total, fColourBar)}

// column is the one spelling that is asked for and kept: D01F00. The vendor
// calls the zeros mandatory, though D1F0 works for many.
func column(s source, f field) string {
	return string([]byte{'D', '0' + byte(s/10%10), '0' + byte(s%10), 'F', '0' + byte(f/10%10), '0' + byte(f%10)})
}

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

// digits reads a number of one to most digits, and gives what follows it.
func digits(text string, most int) (n int, rest string, ok bool) {
	i := 0
	for ; i < len(text) && i < most && '0' <= text[i] && text[i] <= '9'; i++ {
		n = n*10 + int(text[i]-'0')
	}
	return n, text[i:], i > 0
}

// sourceOf gives the data source and the field of a column in its long form.
func sourceOf(name string) (s source, f field, ok bool) {
	if name == "" || name[0] != 'D' {
		return 0, 0, false
	}
	n, rest, ok := digits(name[1:], 2)
	if !ok || rest == "" || rest[0] != 'F' {
		return 0, 0, false
	}
	m, rest, ok := digits(rest[1:], 2)
	return source(n), field(m), ok && rest == ""
}

// canonical gives the one spelling of a column: I0 for AU and I00, D01F00 for
// D1F0, for F0 (the short code: Files and folders, sign 0) and for F00 (the
// field alone, where Files and folders is meant). What it does not know stays.
func canonical(name string) string {
	name = strings.ToUpper(strings.TrimSpace(name))
	if n, ok := twoLetters[name]; ok {
		return "I" + strconv.Itoa(n)
	}
	if s, f, ok := sourceOf(name); ok {
		return column(s, f)
	}
	if name != "" && name[0] == 'I' {
		if n, rest, ok := digits(name[1:], 4); ok && rest == "" {
			return "I" + strconv.Itoa(n)
		}
	}
	if len(name) == 3 && name[0] == 'F' {
		if f, rest, ok := digits(name[1:], 2); ok && rest == "" {
			return column(1, field(f))
		}
	}
	if len(name) == 2 {
		s, ok := shortSources[name[0]]
		if f := strings.IndexByte(shortFields, name[1]); ok && f >= 0 {
			return column(s, field(f))
		}
	}
	return name
}
