package cove

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"covebridge/bridge/backup"
)

func TestRecordedErrors(t *testing.T) {
	f := &fakeCove{answer: func(_ http.ResponseWriter, h recordedCall) string { return deviceAnswers(t, h) }}
	got := errorsOf(t, f.client(), aServer, backup.Session{ID: "826"})
	at := func(n int64) time.Time { return time.Unix(n, 0).UTC() }
	if diff := cmp.Diff([]backup.Error{
		{Time: at(1795408045), File: "/etc/shadow", Text: "Operation not permitted", Code: "1800", Count: 1},
		{Time: at(1795408046), File: "/root/.ssh", Text: "Operation not permitted", Code: "1800", Count: 1},
		{Time: at(1795408050), Text: "Operation not permitted", Code: "1800", Count: 3},
		{Time: at(1795408040), File: `C:\Users\müller\файл.txt`, Text: "There is no data available for the backup. Please check your settings and environment.", Code: "1801", Count: 1},
		{Text: "VSS error\r\n<b>Writer</b>", Count: 1},
	}, got); diff != "" {
		t.Error(diff)
	}
	q := f.callsOf("QueryErrors")[0].Params
	if q["sessionId"] != 826.0 || q["query"] != "SessionId == 826" || q["groupId"] != 0.0 || q["token"] != "7f1c-device-token-0001" {
		t.Errorf("asked %v", q)
	}
	if g := f.callsOf("EnumerateSessionErrorsGroupDetails"); len(g) != 1 || g[0].Params["groupId"] != 82601.0 {
		t.Errorf("asked %v", g)
	}
}

func TestRecordedTenantErrors(t *testing.T) {
	f := &fakeCove{answer: func(_ http.ResponseWriter, h recordedCall) string { return deviceAnswers(t, h) }}
	got := errorsOf(t, f.client(), aTenant, backup.Session{ID: "9", Source: m365Exchange.dataSource()})
	at := func(n int64) time.Time { return time.Unix(n, 0).UTC() }
	if diff := cmp.Diff([]backup.Error{
		{Time: at(1795420500), File: "user@acme.example /Inbox", Text: "Mailbox is not found", Count: 3},
		{Time: at(1795420600), File: "user2@acme.example", Text: "[WebDAV Protocol] Failed to rename resource :  (404)", Count: 1},
		{Time: at(1795420700), Text: "{not json", Count: 1},
	}, got); diff != "" {
		t.Error(diff)
	}
	if p := f.callsOf("EnumerateSessionErrors")[0].Params; p["dataSourceType"] != "Exchange" || p["accountToken"] == nil {
		t.Errorf("asked %v", p)
	}
}

// However many errors there are, few are kept and all are counted.
func TestErrorsAreBounded(t *testing.T) {
	total := 0
	f := &fakeCove{answer: func(_ http.ResponseWriter, h recordedCall) string {
		switch h.Method {
		case "QueryErrors":
			offset := int(h.Params["range"].(map[string]any)["Offset"].(float64))
			var rows []string
			for i := range nodeRange {
				total += 2
				rows = append(rows, fmt.Sprintf(`{"Id":%d,"SessionId":1,"Text":"text %d","Filename":"f","Count":2}`, offset+i+1, i%150))
			}
			return `{"result":{"result":[` + strings.Join(rows, ",") + `]}}`
		case "EnumerateSessionErrorsGroupDetails":
			return `{"error":{"code":1,"message":"no"}}`
		}
		return deviceAnswers(t, h)
	}}
	got := errorsOf(t, f.client(), aServer, backup.Session{ID: "1"})
	if len(got) > keptErrors+1 {
		t.Errorf("%d errors", len(got))
	}
	sum := 0
	for _, e := range got {
		sum += int(e.Count)
	}
	if sum != total || total != 2*nodeRange*errorPages {
		t.Errorf("counted %d of %d", sum, total)
	}
	if n := len(f.callsOf("EnumerateSessionErrorsGroupDetails")); n != openGroups {
		t.Errorf("opened %d groups", n)
	}
}

func TestErrorList(t *testing.T) {
	var l errorList
	for i := range keptErrors + 5 {
		l.add(backup.Error{Text: fmt.Sprint(i), Count: 1<<63 - 1})
	}
	l.add(backup.Error{Text: "3", Count: 1<<63 - 1})
	got := l.all()
	if last := got[len(got)-1]; len(got) != keptErrors+1 || last.Count != 1<<63-1 || got[3].Count != 1<<63-1 {
		t.Errorf("%d: %+v", len(got), last)
	}
	// More files than the group says: its count stands.
	l = errorList{}
	l.addGroup(backup.Error{Text: "g", Count: 2, File: "a"}, []backup.Error{{File: "a", Count: 1}, {File: "b", Count: 5}, {File: "c", Count: 1}})
	if diff := cmp.Diff([]backup.Error{{Text: "g", File: "a", Count: 1}, {Text: "g", File: "b", Count: 1}}, l.all()); diff != "" {
		t.Error(diff)
	}
}

// errorsOf reads one session's errors.
func errorsOf(t *testing.T, c *Client, d backup.Device, s backup.Session) []backup.Error {
	t.Helper()
	sessions := []backup.Session{s}
	if err := c.Errors(context.Background(), d, sessions); err != nil || sessions[0].ErrorsMissing != "" {
		t.Fatalf("%v, %s", err, sessions[0].ErrorsMissing)
	}
	return sessions[0].Errors
}

// Without an id there is nothing to ask with; an id that is no number never
// gets into a query.
func TestErrorsNeedAnID(t *testing.T) {
	f := &fakeCove{}
	sessions := []backup.Session{{ID: ""}, {ID: "1 or 1 == 1"}}
	err := f.client().Errors(context.Background(), aServer, sessions)
	for _, s := range sessions {
		if err != nil || !strings.Contains(s.ErrorsMissing, "only they told") || len(f.calls) != 0 {
			t.Errorf("%v, %+v, %d calls", err, s, len(f.calls))
		}
	}
}

// A tenant's errors come by one call for each data source, and each session
// gets its own.
func TestTenantErrorsByOneCall(t *testing.T) {
	f := &fakeCove{answer: func(_ http.ResponseWriter, h recordedCall) string {
		if h.Method != "EnumerateSessionErrors" {
			return deviceAnswers(t, h)
		}
		if h.Params["dataSourceType"] == "OneDrive" {
			return recorded(t, "error-security.json")
		}
		return `{"result":{"result":[{"Id":1,"SessionId":11,"Description":"a"},{"Id":2,"SessionId":12,"Description":"b"},
			{"Id":3,"SessionId":99,"Description":"of another"},{"Id":4,"SessionId":11,"Description":"c"},{"Id":1,"SessionId":11,"Description":"a"}]}}`
	}}
	exchange, drive := m365Exchange.dataSource(), m365OneDrive.dataSource()
	sessions := []backup.Session{
		{ID: "11", Source: exchange, Start: testNow.Add(-time.Hour)}, {ID: "12", Source: exchange, Start: testNow.Add(-3 * time.Hour)},
		{ID: "13", Source: exchange, Start: testNow, ErrorsMissing: "old"}, {ID: "14", Source: drive, Start: testNow}, {Source: drive},
	}
	if err := f.client().Errors(context.Background(), aTenant, sessions); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range sessions {
		line := s.ErrorsMissing
		for _, e := range s.Errors {
			line += e.Text
		}
		got = append(got, line)
	}
	if got[0] != "ac" || got[1] != "b" || got[2] != "" || !strings.Contains(got[3], "13501") || !strings.Contains(got[4], "only they told") {
		t.Errorf("got %q", got)
	}
	calls := f.callsOf("EnumerateSessionErrors")
	filter, _ := calls[0].Params["filter"].(map[string]any)
	if len(calls) != 2 || filter["SessionId"] != nil || filter["SessionType"] != "Backup" || filter["TimestampFrom"] != float64(testNow.Add(-3*time.Hour).Unix()) {
		t.Errorf("%d calls, asked %v", len(calls), filter)
	}
}

// A refused login and a context that ended are told as errors, anything else
// beside the session it concerns.
func TestErrorsFail(t *testing.T) {
	refused := &fakeCove{answer: func(http.ResponseWriter, recordedCall) string { return recorded(t, "login-refused.json") }}
	for _, d := range []backup.Device{aServer, aTenant} {
		err := refused.client().Errors(context.Background(), d, []backup.Session{{ID: "1"}})
		if !errors.Is(err, backup.ErrRefused) {
			t.Error(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if err := (&fakeCove{}).client().Errors(ctx, d, []backup.Session{{ID: "1"}}); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
	f := &fakeCove{answer: func(_ http.ResponseWriter, h recordedCall) string {
		if h.Method == "QueryErrors" && h.Params["sessionId"] == 825.0 {
			return `{"error":{"code":1,"message":"not\r\nnow 7f1c-device-token-0001"}}`
		}
		return deviceAnswers(t, h)
	}}
	sessions := []backup.Session{{ID: "825"}, {ID: "826"}}
	err := f.client().Errors(context.Background(), aServer, sessions)
	if err != nil || sessions[0].ErrorsMissing != "QueryErrors: Cove answered error 1: not now [secret]" || len(sessions[1].Errors) == 0 {
		t.Errorf("%v, %+v", err, sessions)
	}
}
