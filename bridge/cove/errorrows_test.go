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
	f := &fake{answer: func(_ http.ResponseWriter, h heard) string { return deviceAnswers(t, h) }}
	got, err := f.client().Errors(context.Background(), aServer, backup.Session{ID: "826"})
	if err != nil {
		t.Fatal(err)
	}
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
	q := f.heardOf("QueryErrors")[0].Params
	if q["sessionId"] != 826.0 || q["query"] != "SessionId == 826" || q["groupId"] != 0.0 || q["token"] != "7f1c-device-token-0001" {
		t.Errorf("asked %v", q)
	}
	if g := f.heardOf("EnumerateSessionErrorsGroupDetails"); len(g) != 1 || g[0].Params["groupId"] != 82601.0 {
		t.Errorf("asked %v", g)
	}
}

func TestRecordedTenantErrors(t *testing.T) {
	f := &fake{answer: func(_ http.ResponseWriter, h heard) string { return deviceAnswers(t, h) }}
	got, err := f.client().Errors(context.Background(), aTenant, backup.Session{ID: "9", Source: m365Exchange.dataSource()})
	if err != nil {
		t.Fatal(err)
	}
	at := func(n int64) time.Time { return time.Unix(n, 0).UTC() }
	if diff := cmp.Diff([]backup.Error{
		{Time: at(1795420500), File: "user@acme.example /Inbox", Text: "Mailbox is not found", Count: 3},
		{Time: at(1795420600), File: "user2@acme.example", Text: "[WebDAV Protocol] Failed to rename resource :  (404)", Count: 1},
		{Time: at(1795420700), Text: "{not json", Count: 1},
	}, got); diff != "" {
		t.Error(diff)
	}
	if p := f.heardOf("EnumerateSessionErrors")[0].Params; p["dataSourceType"] != "Exchange" || p["accountToken"] == nil {
		t.Errorf("asked %v", p)
	}
}

// However many errors there are, few are kept and all are counted.
func TestErrorsAreBounded(t *testing.T) {
	total := 0
	f := &fake{answer: func(_ http.ResponseWriter, h heard) string {
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
	got, err := f.client().Errors(context.Background(), aServer, backup.Session{ID: "1"})
	if err != nil || len(got) > keptErrors+1 {
		t.Errorf("%d errors, %v", len(got), err)
	}
	sum := 0
	for _, e := range got {
		sum += int(e.Count)
	}
	if sum != total || total != 2*nodeRange*errorPages {
		t.Errorf("counted %d of %d", sum, total)
	}
	if n := len(f.heardOf("EnumerateSessionErrorsGroupDetails")); n != openGroups {
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

// Without an id there is nothing to ask with; an id that is no number never
// gets into a query.
func TestErrorsNeedAnID(t *testing.T) {
	f := &fake{}
	for _, id := range []string{"", "1 or 1 == 1"} {
		_, err := f.client().Errors(context.Background(), aServer, backup.Session{ID: id})
		if !errors.Is(err, backup.ErrNoHistory) || len(f.calls) != 0 {
			t.Errorf("%q: %v, %d calls", id, err, len(f.calls))
		}
	}
}
