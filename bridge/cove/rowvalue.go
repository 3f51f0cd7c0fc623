package cove

// What rowScan makes of members and values: the usual ones at once, all others
// as parseRow does.

func memberOfRaw(quoted []byte) member {
	switch string(quoted) {
	case `"AccountId"`:
		return memberID
	case `"PartnerId"`:
		return memberPartner
	case `"Settings"`:
		return memberSettings
	}
	if len(quoted) < len(`"Settings"`) {
		return memberOther
	}
	return memberOf(valueOf(quoted).text)
}

// idOf reads a device's number, and tells whether there is any value at all.
func idOf(raw []byte) (id int64, set bool) {
	if id, ok := digitsOnly(raw); ok {
		return id, true
	}
	v := valueOf(raw)
	return deviceID(v), v.set
}

func idOfText(text []byte) int64 {
	if id, ok := digitsOnly(text); ok {
		return id
	}
	return deviceID(value{string(text), true})
}

// digitsOnly reads up to 18 digits.
func digitsOnly(text []byte) (n int64, ok bool) {
	for _, c := range text {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, len(text) > 0 && len(text) <= 18
}

// statusOf reads a status as value does, and the usual ones at once.
func statusOf(text []byte) status {
	switch {
	case len(text) == 1 && '0' <= text[0] && text[0] <= '9':
		return status{number: int64(text[0] - '0')}
	case len(text) == 2 && text[0] == '1' && '0' <= text[1] && text[1] <= '9':
		return status{number: 10 + int64(text[1]-'0')}
	}
	return value{string(text), true}.status()
}
