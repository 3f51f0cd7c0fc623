package covesim

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// reportingParams is what the methods of /reporting_api take.
type reportingParams struct {
	AccountToken   string
	DataSourceType string
	Filter         struct {
		SessionTypes, DataSources   []string
		CreatedAfter, CreatedBefore int64
		SessionID                   int64
		SessionType                 string
	}
	Range *struct{ Offset, Size int }
}

// reporting answers at /reporting_api, for Microsoft 365 tenants. The visa
// stands in the header.
func (s *Sim) reporting(_ *http.Request, c *call) (any, error) {
	visa, bearer := strings.CutPrefix(c.header.Get("Authorization"), "Bearer ")
	if !bearer || c.Visa != "" {
		return nil, errVisa
	}
	if err := s.checkVisa(c, visa); err != nil {
		return nil, err
	}
	p, err := params[reportingParams](c)
	if err != nil {
		return nil, err
	}
	s.world.RLock()
	defer s.world.RUnlock()
	d := s.fleet.byToken[p.AccountToken]
	if d == nil || d.kind != tenant {
		return nil, errDenied
	}
	switch c.Method {
	case "EnumerateSessions":
		return s.tenantSessions(c, d, p)
	case "EnumerateSessionErrors":
		return s.tenantErrors(c, d, p)
	}
	return nil, errNotFound
}

// tenantSessions answers EnumerateSessions, newest first. Sessions that still
// run are not listed, so a long one turns up behind newer ones.
func (s *Sim) tenantSessions(c *call, d *device, p reportingParams) (any, error) {
	found := []Session{}
	for x := range s.fleet.newestFirst(d, c.now) {
		if x.Start.Unix() < p.Filter.CreatedAfter {
			break
		}
		late := p.Filter.CreatedBefore > 0 && x.Start.Unix() >= p.Filter.CreatedBefore
		if !late && x.finished(c.now) && contains(p.Filter.SessionTypes, x.tenantType()) && contains(p.Filter.DataSources, d.source(x.Source).plugin) {
			found = append(found, x)
		}
	}
	rows := []object{}
	for _, x := range page(found, p.Range) {
		rows = append(rows, object{
			"Id": x.ID, "Type": x.tenantType(), "DataSourceType": d.source(x.Source).plugin,
			"StartTime": x.Start.Unix(), "EndTime": x.End.Unix(), "Duration": int64(x.End.Sub(x.Start).Seconds()),
			"AccountsCount": 5 + d.index%40, "SiteCollectionsCount": d.index % 7,
			"Status": statusWord(d.reportedStatus(x)), "ErrorsCount": d.reportedErrors(x),
		})
	}
	return inner(rows), nil
}

func (x Session) tenantType() string {
	if x.Restore {
		return "Restore"
	}
	return "Backup"
}

// contains tells whether the list has the word; an empty list has all.
func contains(list []string, word string) bool {
	return len(list) == 0 || slices.Contains(list, word)
}

// tenantErrors answers EnumerateSessionErrors.
func (s *Sim) tenantErrors(c *call, d *device, p reportingParams) (any, error) {
	if p.DataSourceType == "" {
		return nil, errInternal
	}
	rows := []object{}
	for x := range s.fleet.newestFirst(d, c.now) {
		if x.ID < p.Filter.SessionID {
			break // ids count up
		}
		wanted := p.Filter.SessionID == 0 || x.ID == p.Filter.SessionID
		if !wanted || !x.finished(c.now) || x.Restore || d.source(x.Source).plugin != p.DataSourceType {
			continue
		}
		for _, e := range s.fleet.errors(d, &x) {
			for i, item := range e.Files {
				rows = append(rows, object{
					"Id": e.ID*100 + int64(i), "SessionId": x.ID, "Timestamp": e.Time.Unix(), "Count": 1,
					"Item": item, "Description": d.description(e, item),
				})
			}
		}
	}
	return inner(page(rows, p.Range)), nil
}

// description is JSON as text, or plain text.
func (d *device) description(e Error, item string) string {
	if d.has(PlainDescription) {
		return e.Text
	}
	text, err := json.Marshal(map[string]string{"description": e.Text, "entity": item, "path": "/Inbox"})
	if err != nil { // three texts are always JSON
		panic(err)
	}
	return string(text)
}
