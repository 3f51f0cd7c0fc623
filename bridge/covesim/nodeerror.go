package covesim

import (
	"slices"
	"strings"
)

// queryErrors answers QueryErrors: the errors of a session, or of all.
func (s *Sim) queryErrors(c *call, d *device, p nodeParams) (any, error) {
	f, err := parseFilter(p.Query, c.now)
	if err != nil {
		return nil, &rpcError{code: -32603, message: err.Error()}
	}
	found := []object{}
	for x := range s.fleet.newestFirst(d, c.now) {
		if p.SessionID != 0 && x.ID < p.SessionID {
			break // ids count up
		}
		if p.SessionID != 0 && x.ID != p.SessionID || !x.finished(c.now) || x.Restore {
			continue
		}
		for _, e := range slices.Backward(s.fleet.errors(d, &x)) {
			if f.matches(e.fields(x)) {
				found = append(found, d.errorRow(x, e))
			}
		}
	}
	if !strings.HasSuffix(strings.ToUpper(p.OrderBy), " DESC") {
		slices.Reverse(found)
	}
	return inner(page(found, p.Range)), nil
}

// fields gives the query fields of an error.
func (e Error) fields(of Session) lookup {
	return func(name string) string {
		switch name {
		case "SessionId":
			return itoa(of.ID)
		case "Id":
			return itoa(e.ID)
		case "Code":
			return itoa(int64(e.Code))
		case "Time":
			return itoa(e.Time.Unix())
		case "Count":
			return itoa(e.Count)
		}
		return ""
	}
}

// errorRow writes an error. One that happened to several files names none: its
// id is the group whose details do.
func (d *device) errorRow(of Session, e Error) object {
	row := object{
		"Id": e.ID, "SessionId": of.ID, "Code": e.Code, "Text": e.Text, "Filename": e.Files[0],
		"Count": d.number(e.Count), "Time": d.number(e.Time.Unix()),
	}
	if e.Count > 1 {
		row["Filename"] = ""
	}
	return row
}

// groupDetails answers EnumerateSessionErrorsGroupDetails: the files of one
// row of QueryErrors.
func (s *Sim) groupDetails(c *call, d *device, p nodeParams) (any, error) {
	rows := []object{}
	session := p.GroupID / errorIDs
	for x := range s.fleet.newestFirst(d, c.now) {
		if x.ID < session {
			break
		}
		if x.ID != session || !x.finished(c.now) || x.Restore {
			continue
		}
		for _, e := range s.fleet.errors(d, &x) {
			if e.ID != p.GroupID {
				continue
			}
			for _, file := range e.Files {
				rows = append(rows, object{"ErrorText": e.Text, "Path": file, "Time": d.number(e.Time.Unix())})
			}
		}
	}
	return inner(page(rows, p.Range)), nil
}
