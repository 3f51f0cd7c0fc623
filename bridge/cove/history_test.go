package cove

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"covebridge/bridge/backup"
)

var (
	aServer = backup.Device{Product: Product, ID: "1234567", Name: "srv01_ab12c", Type: backup.Server}
	aTenant = backup.Device{Product: Product, ID: "1234569", Name: "acme.onmicrosoft.com", Type: backup.Microsoft365}
)

// deviceAnswers answers from what was recorded.
func deviceAnswers(t testing.TB, h recordedCall) string {
	reply := map[string]string{
		"GetAccountInfoById": "account-info.json", "EnumerateAccountRemoteAccessEndpoints": "endpoints.json",
		"QuerySessions": "sessions-node.json", "QueryErrors": "errors-node.json",
		"EnumerateSessionErrorsGroupDetails": "error-group.json",
		"EnumerateSessions":                  "sessions-m365.json", "EnumerateSessionErrors": "errors-m365.json",
	}[h.Method]
	if reply == "" {
		return ""
	}
	return recorded(t, reply)
}

// A node's history with every oddity.
func TestRecordedHistory(t *testing.T) {
	f := &fakeCove{answer: func(_ http.ResponseWriter, h recordedCall) string {
		if h.Method == "QueryErrors" && h.Params["sessionId"] == 824.0 {
			return `{"result":{"result":[{"SessionId":824,"Text":"x","Time":1795406500},{"SessionId":824,"Text":"y","Time":1795406400}]}}`
		}
		return deviceAnswers(t, h)
	}}
	c := f.client()
	since := time.Unix(1795403100, 0).Add(lookBack)
	sessions, err := c.Sessions(context.Background(), aServer, since, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range sessions {
		got = append(got, s.ID+" "+line(s))
	}
	if diff := cmp.Diff([]string{
		"820 D08 running InProgressWithFaults (9) 03:20:00",
		"822 D08 ended Failed Failed (2) 03:36:40 to 03:36:40",
		"823 D12 restarted Warning Restarted (12) 03:53:20 to 03:53:20",
		"824 D15 ended Failed NotStarted (7) 04:01:40 to 04:01:40 approx",
		"825 99 ended Warning Unknown status 77 04:10:00 to 04:11:00",
		"826 QuantumVault ended Warning Unknown status Paused 04:26:40 to 04:27:40",
		"828 D02 ended Success Completed (5) 05:00:00 to 05:01:00",
		"829 D10 ended Warning CompletedWithErrors (8) 07:46:40 to 07:56:40",
		"830 D01 running InProcess (1) 10:50:00",
	}, got); diff != "" {
		t.Error(diff)
	}
	for _, s := range sessions {
		if s.ID == "829" && (s.SelectedCount != 5 || s.SelectedBytes != backup.Unknown || s.ProcessedCount != backup.Unknown || s.SentBytes != backup.Unknown || s.ErrorCount != 2) {
			t.Errorf("counts of %+v", s)
		}
	}
	h := f.callsOf("QuerySessions")[0]
	if h.Path != "/repserv_json" || h.Host != "ca-tr2-0203-21.cloudbackup.management" || h.Visa != "" || h.Bearer != "" ||
		h.Params["account"] != "srv01_ab12c" || h.Params["token"] != "7f1c-device-token-0001" || h.Params["accountId"] != 1234567.0 ||
		h.Params["query"] != "BackupStartTime >= 1795403100 and (Type & 1) == 1" {
		t.Errorf("asked %+v", h)
	}
	// A window has an end, too; and the account is remembered.
	sessions, err = c.Sessions(context.Background(), aServer, since, time.Unix(1795410000, 0))
	if err != nil || len(sessions) != 6 {
		t.Errorf("%d sessions, %v", len(sessions), err)
	}
	if q := f.callsOf("QuerySessions")[1].Params["query"]; q != "BackupStartTime >= 1795403100 and BackupStartTime < 1795410000 and (Type & 1) == 1" {
		t.Errorf("asked %v", q)
	}
	if n := len(f.callsOf("GetAccountInfoById")); n != 1 {
		t.Errorf("asked for the account %d times", n)
	}
}

// Which of two data sources a plugin means follows from what statistics show.
func TestPluginsByProfile(t *testing.T) {
	with := func(sources ...source) (p sourceSet) {
		for _, s := range sources {
			p.add(s)
		}
		return p
	}
	text := func(s string) value { return value{s, s != ""} }
	for _, test := range []struct {
		p    sourceSet
		name string
		want string
	}{
		{sourceSet{}, "VssSystemState", "D02"}, {with(7), "7", "D07"}, {with(2, 7), "SystemState", "D02"},
		{sourceSet{}, "Exchange", "D19"}, {with(4), "Exchange", "D04"}, {with(11), "SharePoint", "D11"},
		{with(3), "MsSql", "D03"}, {with(10), "MsSql", "D10"}, {with(1), "D05", "D05"},
		{with(1, 27), "QuantumVault", "D27"}, {with(1, 27, 28), "QuantumVault", "QuantumVault"}, {with(1, 16), "Vdr", "D16"},
		{with(27, 28), "28", "D28"}, {sourceSet{}, "28", "28"}, {sourceSet{}, "", "unknown"}, {sourceSet{}, "work-station file_system", "workstation file_system"},
	} {
		got := test.p.dataSource(text(test.name)).Key
		if test.name == "work-station file_system" {
			test.want = "D01"
		}
		if got != test.want {
			t.Errorf("%s is %s, want %s", test.name, got, test.want)
		}
	}
}

// Pages move while they are read: every session comes once.
func TestHistoryPages(t *testing.T) {
	ids := make([]int, 0, 250)
	for id := 1000; id > 750; id-- {
		ids = append(ids, id)
	}
	f := &fakeCove{answer: func(_ http.ResponseWriter, h recordedCall) string {
		if h.Method != "QuerySessions" {
			return deviceAnswers(t, h)
		}
		r := h.Params["range"].(map[string]any)
		from, size := int(r["Offset"].(float64)), int(r["Size"].(float64))
		var rows []string
		for _, id := range ids[min(from, len(ids)):min(from+size, len(ids))] {
			rows = append(rows, fmt.Sprintf(`{"Id":%d,"Plugin":1,"Status":5,"StartTime":%d,"EndTime":%d}`, id, 1795400000+id, 1795400000+id))
		}
		ids = append([]int{ids[0] + 1}, ids...)
		return `{"result":{"result":[` + strings.Join(rows, ",") + `]}}`
	}}
	sessions, err := f.client().Sessions(context.Background(), aServer, testNow.AddDate(0, 0, -9), time.Time{})
	if err != nil || len(sessions) != 250 || len(f.callsOf("QuerySessions")) != 3 {
		t.Errorf("%d sessions in %d pages, %v", len(sessions), len(f.callsOf("QuerySessions")), err)
	}
}

func TestTenantHistory(t *testing.T) {
	f := &fakeCove{answer: func(_ http.ResponseWriter, h recordedCall) string { return deviceAnswers(t, h) }}
	c := f.client()
	p := sourceSet{}
	p.add(m365Exchange)
	p.add(m365OneDrive)
	c.deviceSources.store(1234569, p)
	sessions, err := c.Sessions(context.Background(), aTenant, testNow.AddDate(0, 0, -1), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{
		"Planner ended Failed Failed (2) 23:26:40 to 23:28:20",
		"D20 ended Success Completed (5) 02:13:20 to 03:13:20",
		"D19 ended Warning CompletedWithErrors (8) 07:46:40 to 08:03:20",
	}, lines(sessions)); diff != "" {
		t.Error(diff)
	}
	h := f.callsOf("EnumerateSessions")[0]
	filter := h.Params["filter"].(map[string]any)
	if h.Path != "/reporting_api" || h.Visa != "" || h.Bearer != "Bearer "+"33491-50121-1-1795432340-C2" ||
		h.Params["accountToken"] != "7f1c-device-token-0001" || fmt.Sprint(filter["DataSources"]) != "[Exchange OneDrive]" ||
		filter["CreatedAfter"] != float64(testNow.AddDate(0, 0, -8).Unix()) {
		t.Errorf("asked %+v", h)
	}
	// Not known, or one that no table has: all are asked for.
	if types := m365Asked(sourceSet{}); len(types) != 4 {
		t.Errorf("asked for %v", types)
	}
	p.add(27)
	if types := m365Asked(p); types != nil {
		t.Errorf("asked for %v", types)
	}
}

// Where the history can't be had it is ErrNoHistory with the cause, and no secret in it.
func TestNoHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, test := range map[string]struct {
			method, answer, want string
		}{
			"account refused":  {"GetAccountInfoById", recorded(t, "error-security.json"), "13501"},
			"no token":         {"GetAccountInfoById", `{"result":{"result":{"Token":""}}}`, "no token"},
			"node refuses":     {"QuerySessions", `{"error":{"code":1,"message":"bad token 7f1c-device-token-0001"}}`, "bad token [secret]"},
			"node unreachable": {"QuerySessions", "cut", "tried 2 times"},
			"node broken":      {"QuerySessions", "<html>", "web page"},
		} {
			f := &fakeCove{answer: func(_ http.ResponseWriter, h recordedCall) string {
				if h.Method == test.method {
					if test.answer == "cut" {
						panic("cut")
					}
					return test.answer
				}
				return deviceAnswers(t, h)
			}}
			_, err := f.client().Sessions(context.Background(), aServer, testNow, time.Time{})
			if !errors.Is(err, backup.ErrNoHistory) || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "7f1c") {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// A session without any time takes that of the session before it.
func TestTimelessSession(t *testing.T) {
	refuses := false
	f := &fakeCove{answer: func(_ http.ResponseWriter, h recordedCall) string {
		switch h.Method {
		case "QueryErrors":
			if refuses {
				return recorded(t, "error-security.json")
			}
			return `{"result":{"result":[]}}`
		case "QuerySessions":
			return `{"result":{"result":[{"Id":5,"Plugin":1,"Status":7},{"Id":4,"Plugin":1,"Status":5,"StartTime":1795431000,"EndTime":1795431001},
				{"Id":3,"Plugin":1,"Status":7,"StartTime":null}]}}`
		}
		return deviceAnswers(t, h)
	}}
	c := f.client()
	for i := range 3 {
		if refuses = i == 2; refuses {
			c = f.client() // one that knows nothing yet
		}
		sessions, err := c.Sessions(context.Background(), aServer, testNow.AddDate(0, 0, -1), time.Time{})
		if err != nil || len(sessions) != 2 || sessions[1].ID != "5" || sessions[1].Start.Unix() != 1795431000 || !sessions[1].Approx {
			t.Errorf("%+v, %v", sessions, err)
		}
	}
	if n := len(f.callsOf("QueryErrors")); n != 5 { // 5 and 3, then 3 again: what was found out is remembered; then both again
		t.Errorf("%d queries of errors", n)
	}
}
