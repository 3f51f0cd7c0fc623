package cove

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// deviceRow is a row of EnumerateAccountStatistics: a device with its columns,
// each in its one spelling.
type deviceRow struct {
	id      string // empty where the row has none
	partner int64  // customer it hangs on; 0: not told
	columns map[string]value
}

// UnmarshalJSON takes any JSON. A row is documented as an object with
// AccountId, PartnerId and Settings, a list of objects with one key each.
// Settings may be null, and one client also reads rows of "CODE=value" strings.
func (r *deviceRow) UnmarshalJSON(b []byte) error {
	*r = deviceRow{columns: map[string]value{}}
	b = bytes.TrimSpace(b)
	if len(b) == 0 {
		return nil
	}
	switch b[0] {
	case '{':
		var fields struct {
			AccountID, PartnerID value
			Settings             json.RawMessage
		}
		if err := json.Unmarshal(b, &fields); err != nil {
			return err
		}
		if err := r.settings(fields.Settings); err != nil {
			return err
		}
		r.partner, _ = fields.PartnerID.number()
		r.id = deviceID(fields.AccountID)
	case '[':
		if err := r.settings(b); err != nil {
			return err
		}
	}
	if r.id == "" {
		r.id = deviceID(r.columns[colID])
	}
	return nil
}

func (r *deviceRow) settings(b json.RawMessage) error {
	b = bytes.TrimSpace(b)
	if len(b) == 0 {
		return nil
	}
	switch b[0] {
	case '[':
		var list []json.RawMessage
		if err := json.Unmarshal(b, &list); err != nil {
			return err
		}
		for _, element := range list {
			if element = bytes.TrimSpace(element); element[0] == '[' {
				continue
			}
			if err := r.settings(element); err != nil {
				return err
			}
		}
	case '{':
		var columns map[string]value
		if err := json.Unmarshal(b, &columns); err != nil {
			return err
		}
		for name, v := range columns {
			r.set(name, v)
		}
	case '"':
		var text string
		if err := json.Unmarshal(b, &text); err != nil {
			return err
		}
		if name, v, ok := strings.Cut(text, "="); ok {
			r.set(name, value{v, true})
		}
	}
	return nil
}

// set keeps the first value that is set of those spellings that are one column.
func (r *deviceRow) set(name string, v value) {
	name = canonical(name)
	if v.set && !r.columns[name].set {
		r.columns[name] = v
	}
}

// deviceID reads a device's number; 0 and what is no number is none.
func deviceID(v value) string {
	if n, ok := v.number(); ok && n > 0 {
		return strconv.FormatInt(n, 10)
	}
	return ""
}
