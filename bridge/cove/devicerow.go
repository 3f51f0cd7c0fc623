package cove

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// deviceRow is a row of EnumerateAccountStatistics: a device with its columns,
// each in its one spelling. It is made for a snapshot only; what is needed of
// every row is read by rowScan.
type deviceRow struct {
	id      int64 // 0 where the row has none
	partner int64 // customer it hangs on; 0: not told
	columns map[string]value
}

// parseRow takes any JSON. A row is documented as an object with AccountId,
// PartnerId and Settings, a list of objects with one key each. Settings may be
// null, and one client also reads rows of "CODE=value" strings.
func parseRow(raw jsontext.Value) deviceRow {
	r := deviceRow{columns: map[string]value{}}
	switch raw.Kind() {
	case '{':
		var id value
		each(raw, func(key string, v jsontext.Value) {
			switch memberOf(key) {
			case memberID:
				first(&id, v)
			case memberPartner:
				if r.partner == 0 {
					r.partner, _ = valueOf(v).number()
				}
			case memberSettings:
				r.settings(v)
			}
		})
		r.id = deviceID(id)
	case '[':
		r.settings(raw)
	}
	if r.id == 0 {
		r.id = deviceID(r.columns[colID])
	}
	return r
}

// member is one of those of a row that are read.
type member int

const (
	memberOther member = iota
	memberID
	memberPartner
	memberSettings
)

// memberOf finds a member by its name, in any case.
func memberOf(key string) member {
	switch {
	case strings.EqualFold(key, "AccountId"):
		return memberID
	case strings.EqualFold(key, "PartnerId"):
		return memberPartner
	case strings.EqualFold(key, "Settings"):
		return memberSettings
	}
	return memberOther
}

func (r *deviceRow) settings(raw jsontext.Value) {
	switch raw.Kind() {
	case '[':
		each(raw, func(_ string, element jsontext.Value) {
			if element.Kind() != '[' {
				r.settings(element)
			}
		})
	case '{':
		each(raw, func(name string, v jsontext.Value) { r.set(name, valueOf(v)) })
	case '"':
		if name, v, ok := strings.Cut(valueOf(raw).text, "="); ok {
			r.set(name, value{v, true})
		}
	}
}

// set keeps the first value that is set of those spellings that are one column.
func (r *deviceRow) set(name string, v value) {
	name = canonical(name)
	if v.set && !r.columns[name].set {
		r.columns[name] = v
	}
}

// each goes through the members of an object, or the elements of an array.
func each(raw jsontext.Value, do func(key string, v jsontext.Value)) {
	dec := jsontext.NewDecoder(bytes.NewReader(raw), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	open, err := dec.ReadToken()
	for err == nil && dec.PeekKind() != '}' && dec.PeekKind() != ']' {
		var key string
		if open.Kind() == '{' {
			var name jsontext.Token
			if name, err = dec.ReadToken(); err != nil {
				return
			}
			key = name.String()
		}
		var v jsontext.Value
		if v, err = dec.ReadValue(); err == nil {
			do(key, v)
		}
	}
}

func valueOf(raw jsontext.Value) (v value) {
	v.UnmarshalJSON(raw) // it is valid JSON by now
	return v
}

// first fills v unless it is set.
func first(v *value, raw jsontext.Value) {
	if !v.set {
		*v = valueOf(raw)
	}
}

// deviceID reads a device's number; 0 is none.
func deviceID(v value) int64 {
	if n, ok := v.number(); ok && n > 0 {
		return n
	}
	return 0
}

func idText(id int64) string { return strconv.FormatInt(id, 10) }
