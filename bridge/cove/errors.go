package cove

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// Numbers of Cove's errors (Cove API document, Errors).
const (
	errVisa     = 1701  // visa missing, expired or corrupt
	errLogin    = 2100  // unknown partner or user, or bad password
	errSecurity = 13501 // a column, method or customer that this user may not see
	errLogins   = 14409 // too many logins at once
)

// Error is a call that Cove answered with an error. It never holds a secret.
type Error struct {
	Method     string
	Code       int64  // JSON-RPC's, as -32603; 0: none
	Number     int64  // Cove's own, as 13501; 0: none
	Message    string // Cove's words: one line, at most 500 bytes
	HTTPStatus int
}

// Error tells what Cove answered.
func (e *Error) Error() string {
	text := e.Method + ": Cove answered"
	switch {
	case e.Number != 0:
		text += fmt.Sprintf(" error %d", e.Number)
	case e.Code != 0:
		text += fmt.Sprintf(" error %d", e.Code)
	}
	if e.HTTPStatus != http.StatusOK && e.HTTPStatus != 0 {
		text += fmt.Sprintf(" HTTP %d", e.HTTPStatus)
	}
	if e.Message != "" {
		text += ": " + e.Message
	}
	return text
}

// hasErrorNumber tells whether err is an answer with this number of Cove's.
func hasErrorNumber(err error, n int64) bool {
	var e *Error
	return errors.As(err, &e) && e.Number == n
}

// isVisaExpired tells whether err says that the visa is not good any more. -32001
// and -32002 are taken for it by some clients; what they mean is not settled.
func isVisaExpired(err error) bool {
	var e *Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Number {
	case errVisa, -32001, -32002:
		return true
	case errLogin, errSecurity, errLogins:
		return false
	}
	if e.Code == -32001 || e.Code == -32002 || e.HTTPStatus == http.StatusUnauthorized {
		return true
	}
	message := strings.ToLower(e.Message)
	for _, word := range []string{"visa", "expired", "unauthorized"} {
		if strings.Contains(message, word) {
			return true
		}
	}
	return false
}

// permanent tells whether the error stands, whatever the reply's status says.
func (f fault) permanent() bool {
	switch f.number {
	case errVisa, errLogin, errSecurity, errLogins:
		return true
	}
	return false
}

// fault is the member "error" of a reply.
type fault struct {
	code, number int64
	message      string
	set          bool
}

// UnmarshalJSON takes any JSON. code is JSON-RPC's and data Cove's, but some
// clients saw Cove's number as the code, and data is a number, a string or an
// object.
func (f *fault) UnmarshalJSON(b []byte) error {
	*f = fault{}
	b = bytes.TrimSpace(b)
	if len(b) == 0 || b[0] == 'n' {
		return nil
	}
	f.set = true
	var fields struct {
		Code, Message value
		Data          json.RawMessage
	}
	if b[0] != '{' {
		var v value
		err := v.UnmarshalJSON(b)
		f.message = v.text
		return err
	}
	if err := json.Unmarshal(b, &fields); err != nil {
		return err
	}
	f.code, _ = fields.Code.number()
	f.message = fields.Message.text
	var data value
	if err := data.UnmarshalJSON(fields.Data); err != nil {
		return err
	}
	var ok bool
	if f.number, ok = data.number(); !ok && f.message == "" {
		f.message = data.text
	}
	if data := bytes.TrimSpace(fields.Data); len(data) > 0 && data[0] == '{' {
		var r row
		if err := json.Unmarshal(data, &r); err != nil {
			return err
		}
		f.number, _ = r.get("number", "code", "errorcode", "error", "id", "data").number()
		if f.message == "" {
			f.message = r.get("message", "description", "text").text
		}
	}
	if f.number == 0 && (f.code > -32000 || f.code < -32768) {
		f.number = f.code // JSON-RPC keeps -32768 to -32000 for itself
	}
	return nil
}
