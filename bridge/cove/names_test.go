package cove

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"covebridge/bridge/backup"
)

// What a row does not tell is empty; what is told as undefined is a server.
func TestNameAndType(t *testing.T) {
	for settings, want := range map[string]string{
		`null`: " ", `[]`: " ", `[{"I1":"a"}]`: "a ", `[{"I1":""},{"I32":""},{"I59":null}]`: " ",
		`[{"I1":"a"},{"I32":"0"}]`: "a Server", `[{"I59":"0"}]`: " Server", `[{"I32":"2"}]`: " Server", `[{"I32":"1"}]`: " Workstation",
		`[{"I59":"2"}]`: " Microsoft 365", `[{"I78":"D19D20"}]`: " Microsoft 365", `[{"I78":"D19D01"}]`: " ", `[{"I78":"D01"},{"D01F00":"5"}]`: " ",
		`[{"I32":"0"},{"D23F00":"5"}]`: " Microsoft 365", `[{"I59":"1"},{"D19F00":"5"}]`: " Server",
	} {
		f := &fakeCove{answer: func(_ http.ResponseWriter, h recordedCall) string {
			if h.Method == methodStatistics {
				return `{"result":{"result":[{"AccountId":1,"Settings":` + settings + `}]}}`
			}
			return ""
		}}
		d := all(t, f.client(), backup.Selection{})[0].Device
		if got := d.Name + " " + d.Type; got != want {
			t.Errorf("%s: %q, want %q", settings, got, want)
		}
	}
}

// The name that statistics don't tell is asked for.
func TestDeviceName(t *testing.T) {
	answer := ""
	f := &fakeCove{answer: func(_ http.ResponseWriter, h recordedCall) string {
		if h.Method == "GetAccountInfoById" {
			return answer
		}
		return ""
	}}
	c := f.client()
	for text, want := range map[string]string{
		recorded(t, "account-info.json"):                   "srv01_ab12c",
		`{"result":{"result":{"Name":"no-token_fq8hm"}}}`:  "no-token_fq8hm",
		`{"result":{"result":{"Name":null,"Token":"tt"}}}`: "",
		recorded(t, "error-security.json"):                 "",
	} {
		answer = text
		got, err := c.DeviceName(context.Background(), backup.Device{ID: "1234567"})
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v", text, got, err)
		}
	}
	if _, err := c.DeviceName(context.Background(), backup.Device{ID: "x"}); err == nil || f.callsOf("GetAccountInfoById")[0].Params["accountId"] != 1234567.0 {
		t.Errorf("%v, asked %+v", err, f.callsOf("GetAccountInfoById"))
	}
}

// Node sessions count up by their ids; those of Microsoft 365 need not.
func TestSeq(t *testing.T) {
	f := &fakeCove{answer: func(_ http.ResponseWriter, h recordedCall) string {
		if h.Method == "QuerySessions" {
			return strings.Replace(recorded(t, "sessions-node.json"), `"Id":829`, `"Id":"x829"`, 1)
		}
		return deviceAnswers(t, h)
	}}
	for _, d := range []backup.Device{aServer, aTenant} {
		sessions, err := f.client().Sessions(context.Background(), d, testNow.AddDate(-1, 0, 0), testNow)
		if err != nil || len(sessions) == 0 {
			t.Fatalf("%d sessions, %v", len(sessions), err)
		}
		for _, s := range sessions {
			var want int64
			if d.Type != backup.Microsoft365 {
				want, _ = value{s.ID, true}.number()
			}
			if s.Seq != want {
				t.Errorf("%s has %d", s.ID, s.Seq)
			}
		}
	}
}
