package bridge_test

import (
	"context"
	"encoding/json"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"covebridge/bridge"
	"covebridge/bridge/cove"
	"covebridge/bridge/mailbox"
)

var update = flag.Bool("update", false, "write the mails as they are now")

// recorded answers as Cove did, with every quirk that it is known for.
// Statistics tell of five devices; histories can be had of the first and of
// the Microsoft 365 tenant.
func recorded(t *testing.T, now func() time.Time) *httptest.Server {
	replies := map[string]string{
		"Login": "login", "EnumerateAccountStatistics": "statistics", "EnumeratePartners": "partners", "GetAccountInfoById": "account-info",
		"QuerySessions": "sessions-node", "QueryErrors": "errors-node", "EnumerateSessionErrorsGroupDetails": "error-group",
		"EnumerateSessions": "sessions-m365", "EnumerateSessionErrors": "errors-m365",
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var call struct {
			Method string
			Params struct {
				AccountID int64
				Query     any
			}
		}
		if err := json.NewDecoder(r.Body).Decode(&call); err != nil {
			t.Error(err)
		}
		name := replies[call.Method]
		if call.Method == "GetAccountInfoById" && call.Params.AccountID != 1234567 && call.Params.AccountID != 1234569 {
			name = "error-security"
		}
		reply, err := os.ReadFile("../testdata/cove/" + name + ".json")
		if err != nil {
			t.Error(err)
		}
		if query, ok := call.Params.Query.(map[string]any); ok && query["StartRecordNumber"] != 0.0 {
			reply = []byte(`{"result":{"result":[]}}`)
		}
		w.Header().Set("Date", now().UTC().Format(http.TimeFormat))
		w.Write(reply)
	}))
	t.Cleanup(server.Close)
	return server
}

// The replies in testdata/cove become the mails in testdata/recorded.
func TestRecordedReplies(t *testing.T) {
	at := time.Unix(1795440000, 0)
	now := func() time.Time { return at }
	server := recorded(t, now)
	raw := map[string][]byte{}
	w := newWorld(t, func(o *bridge.Options) {
		o.Sources = []bridge.Source{cove.New(cove.Options{
			Name: "msp", URL: server.URL + "/jsonapi", ReportingURL: server.URL + "/reporting_api", NodeURL: server.URL + "/repserv_json",
			Username: "api-user", Password: "secret", Rate: 1000, Now: now,
		})}
		o.Collect.Baseline, o.Collect.Now = 30*24*time.Hour, now
	})
	w.fault = func(m mailbox.Mail) fault { raw[m.MessageID] = m.Bytes; return none }
	for range 8 { // for two hours nothing changes, so that statistics are believed
		if _, err := w.Once(context.Background()); err != nil {
			t.Fatal(err)
		}
		at = at.Add(15 * time.Minute)
	}
	dir := "../testdata/recorded/"
	if *update {
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	var names []string
	for id, mail := range raw {
		name := strings.TrimSuffix(id, "@covebridge") + ".eml"
		names = append(names, dir+name)
		if *update {
			if err := os.WriteFile(dir+name, mail, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(dir + name)
		if err != nil || string(want) != string(mail) {
			t.Errorf("%s is not as it was (-update writes it): %v\n%s", name, err, w.texts[id])
		}
	}
	slices.Sort(names)
	want, err := filepath.Glob(dir + "*.eml")
	if err != nil || !slices.Equal(names, want) {
		t.Errorf("mails %q, want %q: %v", names, want, err)
	}
}
