package covesim

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"
	"time"
)

// report calls a method of /reporting_api about a tenant.
func (p *plain) report(d *device, method string, more object) reply {
	p.t.Helper()
	if p.visa == "" {
		p.visa = p.login("api-user", "covesim", "").Visa
	}
	params := object{"accountToken": d.token}
	for name, v := range more {
		params[name] = v
	}
	header := http.Header{"Authorization": {"Bearer " + p.visa}}
	return p.post("/reporting_api", header, object{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
}

func (p *plain) tenant(with Quirk) *device {
	p.t.Helper()
	i := slices.IndexFunc(p.fleet.devices, func(d *device) bool { return d.kind == tenant && d.quirks&with == with })
	if i < 0 {
		p.t.Fatal("no such tenant")
	}
	return p.fleet.devices[i]
}

type tenantRow struct {
	Id, StartTime, EndTime, Duration, ErrorsCount int64
	Type, DataSourceType                          string
	Status                                        any
}

func TestTenantSessions(t *testing.T) {
	p := start(t, Options{})
	d := p.tenant(Restores)
	since := monday.AddDate(0, 0, -20)
	filter := object{"SessionTypes": []string{"Backup"}, "DataSources": []string{"Exchange"}, "CreatedAfter": since.Unix(), "CreatedBefore": monday.Unix()}
	var rows []tenantRow
	read(t, p.report(d, "EnumerateSessions", object{"filter": filter, "range": object{"Offset": 0, "Size": 200}}), &rows)
	var want []Session
	for _, s := range p.Truth() {
		if s.DeviceID == d.id && s.Source == "D19" && !s.Start.Before(since) && !s.End.IsZero() {
			want = append(want, s)
		}
	}
	slices.Reverse(want)
	if len(rows) != len(want) || len(rows) < 60 {
		t.Fatalf("%d rows, want %d", len(rows), len(want))
	}
	for i, r := range rows {
		s := want[i]
		if r.Id != s.ID || r.StartTime != s.Start.Unix() || r.EndTime != s.End.Unix() || r.Duration != r.EndTime-r.StartTime || r.Type != "Backup" || r.DataSourceType != "Exchange" {
			t.Errorf("row %+v, want %+v", r, s)
		}
	}
	var page, all []tenantRow
	read(t, p.report(d, "EnumerateSessions", object{"filter": filter, "range": object{"Offset": 3, "Size": 2}}), &page)
	if !slices.Equal(page, rows[3:5]) {
		t.Errorf("page %v, want %v", page, rows[3:5])
	}
	read(t, p.report(d, "EnumerateSessions", nil), &all)
	if !slices.ContainsFunc(all, func(r tenantRow) bool { return r.Type == "Restore" }) {
		t.Error("no restores where the filter lets them through")
	}
}

// A long session appears when it has ended, behind newer ones.
func TestLongTenantSessionAppearsLate(t *testing.T) {
	p := start(t, Options{})
	d := p.tenant(LongRuns)
	list := func() (rows []tenantRow) {
		read(t, p.report(d, "EnumerateSessions", object{"filter": object{"CreatedAfter": p.Now().Add(-4 * day).Unix()}}), &rows)
		return rows
	}
	known := list()
	late := 0
	for range 40 {
		p.Advance(2 * time.Hour)
		p.visa = p.login("api-user", "covesim", "").Visa
		now := list()
		for i, r := range now {
			isNew := !slices.ContainsFunc(known, func(k tenantRow) bool { return k.Id == r.Id })
			if isNew && slices.ContainsFunc(now[:i], func(k tenantRow) bool {
				return slices.ContainsFunc(known, func(o tenantRow) bool { return o.Id == k.Id })
			}) {
				late++
			}
			if r.EndTime == 0 || r.EndTime > p.Now().Unix() {
				t.Errorf("listed though it runs: %+v", r)
			}
		}
		known = now
	}
	if late == 0 {
		t.Error("no session appeared behind one that was known")
	}
}

func TestTenantErrors(t *testing.T) {
	p := start(t, Options{Devices: 60, History: 14 * day})
	plainTexts, jsonTexts := 0, 0
	for _, s := range p.Truth() {
		d := p.fleet.byID[s.DeviceID]
		if d.kind != tenant || len(s.Errors) == 0 || plainTexts > 2 && jsonTexts > 2 {
			continue
		}
		var rows []struct {
			SessionId, Timestamp, Count int64
			Item, Description           string
		}
		read(t, p.report(d, "EnumerateSessionErrors", object{
			"dataSourceType": d.source(s.Source).plugin, "filter": object{"SessionId": s.ID, "SessionType": "Backup"}}), &rows)
		if len(rows) != int(s.ErrorsCount) {
			t.Fatalf("%d rows, want %d", len(rows), s.ErrorsCount)
		}
		var description struct{ Description, Entity, Path string }
		switch err := json.Unmarshal([]byte(rows[0].Description), &description); {
		case d.has(PlainDescription):
			plainTexts++
			if rows[0].Description != s.Errors[0].Text {
				t.Errorf("%q, want %q", rows[0].Description, s.Errors[0].Text)
			}
		case err != nil || description.Description != s.Errors[0].Text || description.Entity != rows[0].Item:
			t.Errorf("%q: %v", rows[0].Description, err)
		default:
			jsonTexts++
		}
	}
	if plainTexts == 0 || jsonTexts == 0 {
		t.Errorf("%d plain texts, %d in JSON", plainTexts, jsonTexts)
	}
	d := p.tenant(0)
	if r := p.report(d, "EnumerateSessionErrors", object{"filter": object{"SessionId": 9}}); r.number() != -32603 {
		t.Errorf("without dataSourceType: %+v", r.Error)
	}
}

func TestReportingRefusesStrangers(t *testing.T) {
	p := start(t, Options{})
	if r := p.report(&device{token: "x"}, "EnumerateSessions", nil); r.number() != 13501 {
		t.Errorf("unknown token: %+v", r.Error)
	}
	if r := p.report(p.fleet.devices[0], "EnumerateSessions", nil); r.number() != 13501 {
		t.Errorf("a server's token: %+v", r.Error)
	}
	if r := p.post("/reporting_api", nil, object{"method": "EnumerateSessions", "params": object{}}); r.number() != 1701 {
		t.Errorf("without a visa: %+v", r.Error)
	}
}
