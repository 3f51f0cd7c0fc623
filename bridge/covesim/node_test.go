package covesim

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// history calls a method of the device's node, with what info tells of it.
func (p *plain) history(path string, d Device, method string, more object) reply {
	p.t.Helper()
	params := object{"accountId": d.ID, "account": d.Name, "token": d.Token}
	maps.Copy(params, more)
	return p.post(path, nil, object{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
}

func TestAccountInfo(t *testing.T) {
	p := start(t, Options{})
	for _, d := range p.Devices() {
		r := p.call("GetAccountInfoById", object{"accountId": d.ID})
		var info struct {
			Id          int64
			Name, Token string
		}
		if read(t, r, &info); info.Id != d.ID || info.Name != d.Name || info.Token != d.Token {
			t.Errorf("info %+v of %+v", info, d)
		}
		host, _, _ := strings.Cut(strings.ToLower(r.Result.HomeNodeInfo.CommonInfo.Host), ":")
		if host != d.Host {
			t.Errorf("host %q, want %q", host, d.Host)
		}
		var ends []struct{ WebRcgUrl string }
		read(t, p.call("EnumerateAccountRemoteAccessEndpoints", object{"accountId": d.ID}), &ends)
		if !strings.HasPrefix(ends[0].WebRcgUrl, "https://"+d.Host+"/") {
			t.Errorf("endpoint %q", ends[0].WebRcgUrl)
		}
	}
	if r := p.call("GetAccountInfoById", object{"accountId": 1}); r.number() != 13501 {
		t.Errorf("unknown device: %+v", r.Error)
	}
}

// told reads a number that may be a text or null.
func told(t *testing.T, v any) int64 {
	t.Helper()
	switch v := v.(type) {
	case nil:
		return 0
	case float64:
		return int64(v)
	case string:
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			t.Errorf("%q is no number", v)
		}
		return n
	}
	t.Errorf("%v is no number", v)
	return 0
}

// either gives the value of one of two spellings of a field.
func either(row map[string]any, a, b string) any {
	if v, ok := row[a]; ok {
		return v
	}
	return row[b]
}

func TestSessionHistoryEqualsTheTruth(t *testing.T) {
	p := start(t, Options{})
	truths := map[int64][]Session{}
	for _, s := range p.Truth() {
		truths[s.DeviceID] = append(truths[s.DeviceID], s)
	}
	for i, d := range p.fleet.devices {
		if d.kind == tenant {
			continue
		}
		dev := p.Devices()[i]
		since := monday.AddDate(0, 0, -9)
		query := fmt.Sprintf("BackupStartTime >= %d and (Type & 1) == 1", since.Unix())
		var rows []map[string]any
		for offset := 0; ; offset += 100 {
			var part []map[string]any
			read(t, p.history("/repserv_json", dev, "QuerySessions", object{
				"query": query, "orderBy": "BackupStartTime DESC", "range": object{"Offset": offset, "Size": 100}}), &part)
			rows = append(rows, part...)
			if len(part) < 100 {
				break
			}
		}
		want := slices.DeleteFunc(slices.Clone(truths[d.id]), func(s Session) bool { return s.Start.Before(since) })
		slices.Reverse(want)
		if len(rows) != len(want) {
			t.Fatalf("%s: %d rows, want %d", d.name, len(rows), len(want))
		}
		for i, s := range want {
			row := rows[i]
			begin, end := told(t, either(row, "StartTime", "BackupStartTime")), told(t, either(row, "EndTime", "BackupEndTime"))
			timeless := d.has(Timeless) && s.Status == NotStarted
			if told(t, row["Id"]) != s.ID || row["Type"] != "BatchBackup" || !timeless && (begin != s.Start.Unix() || end != seconds(s.End)) || timeless && begin+end != 0 {
				t.Errorf("row %v, want %+v", row, s)
			}
			if word := row["Status"]; word != statusWords[s.Status] && word != float64(s.Status) {
				plain := s.Status == CompletedWithErrors && (word == "Completed" || word == float64(Completed))
				if !plain || told(t, row["ErrorsCount"]) == 0 {
					t.Errorf("status %v with %v errors, want %d", word, row["ErrorsCount"], s.Status)
				}
			}
			if told(t, row["SentSize"]) != s.SentBytes || told(t, row["SelectedCount"]) != s.SelectedCount {
				t.Errorf("row %v, want %+v", row, s)
			}
		}
	}
}

func TestRestoresAreLeftOutByTheirType(t *testing.T) {
	p := start(t, Options{})
	i := slices.IndexFunc(p.fleet.devices, func(d *device) bool { return d.has(Restores) && d.kind == server })
	rows := func(query string) (list []map[string]any) {
		read(t, p.history("/repserv_json", p.Devices()[i], "QuerySessions", object{"query": query}), &list)
		return list
	}
	all, backups, restores := rows("0 != 1"), rows("(Type & 1) == 1"), rows("(Type & 1) == 0")
	if len(restores) == 0 || len(all) != len(backups)+len(restores) {
		t.Errorf("%d rows: %d backups, %d restores", len(all), len(backups), len(restores))
	}
	for _, r := range restores {
		if r["Type"] != "BatchRestore" {
			t.Errorf("restore %v", r)
		}
	}
	if first := rows("BackupStartTime < " + fmt.Sprint(monday.AddDate(0, 0, -3).Unix())); len(first) == 0 || len(first) >= len(all) {
		t.Errorf("%d rows before, of %d", len(first), len(all))
	}
	id := fmt.Sprint(all[5]["Id"])
	if one := rows("Id == " + fmt.Sprintf("%.0f", all[5]["Id"])); len(one) != 1 || fmt.Sprint(one[0]["Id"]) != id {
		t.Errorf("by id: %v", one)
	}
}

func TestNodeRefusesStrangers(t *testing.T) {
	p := start(t, Options{})
	d := p.Devices()[0]
	for name, change := range map[string]object{
		"token": {"token": "x"}, "name": {"account": "x"}, "id": {"accountId": p.Devices()[1].ID},
	} {
		if r := p.history("/repserv_json", d, "QuerySessions", change); r.number() != 13501 {
			t.Errorf("wrong %s: %+v", name, r.Error)
		}
	}
	if r := p.history("/node/"+d.Host+"/repserv_json", d, "QuerySessions", nil); r.Error != nil {
		t.Errorf("at its node: %+v", r.Error)
	}
	if r := p.history("/node/elsewhere.example/repserv_json", d, "QuerySessions", nil); r.number() != 13501 {
		t.Errorf("at another node: %+v", r.Error)
	}
	if r := p.history("/repserv_json", d, "Login", nil); r.number() != -32601 {
		t.Errorf("another method: %+v", r.Error)
	}
}

func TestErrorsOfASession(t *testing.T) {
	p := start(t, Options{})
	seen, grouped := 0, 0
	for i, d := range p.fleet.devices {
		dev := p.Devices()[i]
		if d.kind == tenant {
			continue
		}
		for s := range p.fleet.newestFirst(d, monday.Add(-3*day)) {
			if s.Restore || s.ErrorsCount == 0 || !s.finished(monday) {
				continue
			}
			var rows []struct {
				Id, SessionId, Code int64
				Text, Filename      string
				Count, Time         any
			}
			read(t, p.history("/repserv_json", dev, "QueryErrors", object{
				"sessionId": s.ID, "query": fmt.Sprintf("SessionId == %d", s.ID), "orderBy": "Time DESC", "groupId": 0}), &rows)
			slices.Reverse(rows)
			want := p.fleet.errors(d, &s)
			if len(rows) != len(want) {
				t.Fatalf("session %d: %d rows, want %d", s.ID, len(rows), len(want))
			}
			for k, e := range want {
				r := rows[k]
				if r.Id != e.ID || r.SessionId != s.ID || r.Text != e.Text || told(t, r.Count) != e.Count || told(t, r.Time) != e.Time.Unix() {
					t.Errorf("row %+v, want %+v", r, e)
				}
				if e.Count == 1 {
					continue
				}
				grouped++
				var files []struct{ ErrorText, Path string }
				read(t, p.history("/repserv_json", dev, "EnumerateSessionErrorsGroupDetails", object{"sessionId": s.ID, "groupId": e.ID}), &files)
				if len(files) != int(e.Count) || files[1].Path != e.Files[1] || files[0].ErrorText != e.Text || r.Filename != "" {
					t.Errorf("group %+v: %+v", e, files)
				}
			}
			seen++
			break
		}
		var all []json.RawMessage
		read(t, p.history("/repserv_json", dev, "QueryErrors", object{"sessionId": 0, "query": "0 != 1", "range": object{"Offset": 0, "Size": 3}}), &all)
		if len(all) > 3 {
			t.Errorf("a range of 3 has %d rows", len(all))
		}
	}
	if seen < 10 || grouped == 0 {
		t.Errorf("%d sessions with errors, %d grouped", seen, grouped)
	}
}

func TestRunningRowEndsUnderTheSameID(t *testing.T) {
	p := start(t, Options{Devices: 1, Every: time.Hour, Without: AllQuirks})
	d := p.fleet.devices[0]
	var last Session
	for s := range p.fleet.newestFirst(d, monday) {
		last = s
		break
	}
	p.Advance(last.Start.Add(time.Second).Sub(monday))
	row := func() (rows []map[string]any) {
		read(t, p.history("/repserv_json", p.Devices()[0], "QuerySessions", object{"query": fmt.Sprintf("Id == %d", last.ID)}), &rows)
		return rows
	}
	if r := row(); r[0]["Status"] != "InProcess" || r[0]["EndTime"] != 0.0 {
		t.Errorf("running: %v", r)
	}
	p.Advance(time.Hour)
	if r := row(); r[0]["Status"] != statusWords[last.Status] || r[0]["EndTime"] != float64(last.End.Unix()) {
		t.Errorf("ended: %v", r)
	}
}
