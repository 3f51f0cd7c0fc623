package cove

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"covebridge/bridge/backup"
)

// fleet numbers devices from 1 on.
func fleet(n int) (ids []int) {
	for id := range n {
		ids = append(ids, id+1)
	}
	return ids
}

// failing answers statistics of a fleet, but with an error where fails says so.
func failing(devices int, fails func(start int, filtered bool, call int) bool) *fake {
	ids := fleet(devices)
	page := pager(&ids, plainRow)
	calls := 0
	return &fake{answer: func(w http.ResponseWriter, h heard) string {
		if h.Method != methodStatistics {
			return ""
		}
		calls++
		if fails(int(h.query()["StartRecordNumber"].(float64)), h.query()["Filter"] != nil, calls) {
			return `{"error":{"code":-32603,"message":"Internal error"}}`
		}
		return page(w, h)
	}}
}

// count gives how many devices there are, and fails where one comes twice.
func count(t *testing.T, c *Client, sel backup.Selection) (int, error) {
	t.Helper()
	seen := map[string]bool{}
	err := c.Devices(context.Background(), sel, func(r backup.Row) error {
		if seen[string(r.Key())] {
			t.Errorf("%s comes twice", r.Key())
		}
		seen[string(r.Key())] = true
		return nil
	})
	return len(seen), err
}

// An error on a later page of a filtered poll gives neither the filter up nor
// fewer devices in silence, and the pages behind it are read.
func TestFailingPageOfFilteredPoll(t *testing.T) {
	f := failing(600, func(start int, filtered bool, _ int) bool { return filtered && start == 250 })
	c := f.client()
	for range 2 {
		n, err := count(t, c, backup.Selection{Since: 1})
		if n != 350 || err == nil || !strings.Contains(err.Error(), "from number 250 on") {
			t.Errorf("%d devices, %v", n, err)
		}
	}
	for _, h := range f.heardOf(methodStatistics) {
		if h.query()["Filter"] == nil {
			t.Error("the filter was given up")
		}
	}
}

// A filter whose first page fails is given up for this one call, in which
// every device is given.
func TestFailingFirstPageOfFilteredPoll(t *testing.T) {
	f := failing(600, func(start int, filtered bool, call int) bool { return filtered && call == 1 })
	c := f.client()
	for range 2 {
		if n, err := count(t, c, backup.Selection{Since: 1}); n != 600 || err != nil {
			t.Errorf("%d devices, %v", n, err)
		}
	}
	calls := f.heardOf(methodStatistics)
	if last := calls[len(calls)-1]; last.query()["Filter"] == nil {
		t.Error("the filter was not tried again")
	}
}

// A page of a sweep that fails is told, and the others are read.
func TestFailingPageOfSweep(t *testing.T) {
	for _, test := range []struct {
		bad   []int
		want  int
		told  string
		calls int
	}{
		{[]int{0}, 350, "from number 0 on", 3}, {[]int{250}, 350, "from number 250 on", 3}, {[]int{500}, 500, "from number 500 on", 4},
		{[]int{0, 500}, 250, "from number 0 on, and 1 other pages", 4}, {[]int{0, 250, 500, 750}, 0, "from number 0 on, and 2 other", 3},
	} {
		f := failing(600, func(start int, _ bool, _ int) bool { return slices.Contains(test.bad, start) })
		n, err := count(t, f.client(), backup.Selection{})
		if n != test.want || err == nil || !strings.Contains(err.Error(), test.told) || !strings.Contains(err.Error(), "Internal error") {
			t.Errorf("%v: %d devices, %v", test.bad, n, err)
		}
		if calls := len(f.heardOf(methodStatistics)); calls != test.calls {
			t.Errorf("%v: %d calls", test.bad, calls)
		}
	}
}

// A server that takes no notice of StartRecordNumber is not asked for ever, and
// what it gave is not taken for all there is; nor are rows beyond those that
// were asked for.
func TestPagesThatCannotBeToldApart(t *testing.T) {
	for _, rows := range []int{2, 3, 600} {
		var list []string
		for _, id := range fleet(rows) {
			list = append(list, plainRow(id))
		}
		f := &fake{answer: func(_ http.ResponseWriter, h heard) string {
			if h.Method == methodStatistics {
				return `{"result":{"result":[` + strings.Join(list, ",") + `]}}`
			}
			return ""
		}}
		n, err := count(t, f.client(func(o *Options) { o.PageSize = 2 }), backup.Selection{})
		if n != 2 || !errors.Is(err, errRepeats) || len(f.heardOf(methodStatistics)) != 2 {
			t.Errorf("%d rows: %d devices, %v", rows, n, err)
		}
	}
}

// A server that gives more rows than asked for, but the right ones, is read.
func TestMoreRowsThanAskedFor(t *testing.T) {
	ids := fleet(7)
	f := &fake{answer: func(w http.ResponseWriter, h heard) string {
		if h.Method == methodStatistics {
			h.query()["RecordsCount"] = 5.0
		}
		return pager(&ids, plainRow)(w, h)
	}}
	if n, err := count(t, f.client(func(o *Options) { o.PageSize = 2 }), backup.Selection{}); n != 7 || err != nil {
		t.Errorf("%d devices, %v", n, err)
	}
}

// A history that can't be paged is no history.
func TestHistoryThatRepeats(t *testing.T) {
	rows := strings.Repeat(`{"Id":5,"Plugin":1,"Status":5,"StartTime":1795400000,"EndTime":1795400001},`, nodeRange)
	f := &fake{answer: func(_ http.ResponseWriter, h heard) string {
		if h.Method == "QuerySessions" {
			return `{"result":{"result":[` + strings.TrimSuffix(rows, ",") + `]}}`
		}
		return deviceAnswers(t, h)
	}}
	_, err := f.client().Sessions(context.Background(), aServer, testNow.AddDate(0, 0, -9), testNow)
	if !errors.Is(err, backup.ErrNoHistory) || !errors.Is(err, errRepeats) || len(f.heardOf("QuerySessions")) != 2 {
		t.Errorf("%v after %d calls", err, len(f.calls))
	}
}

// What a row does not tell is empty; what is told as undefined is a server.
func TestNameAndType(t *testing.T) {
	for settings, want := range map[string]string{
		`null`: " ", `[]`: " ", `[{"I1":"a"}]`: "a ", `[{"I1":""},{"I32":""},{"I59":null}]`: " ",
		`[{"I1":"a"},{"I32":"0"}]`: "a Server", `[{"I59":"0"}]`: " Server", `[{"I32":"2"}]`: " Server", `[{"I32":"1"}]`: " Workstation",
		`[{"I59":"2"}]`: " Microsoft 365", `[{"I78":"D19D20"}]`: " Microsoft 365", `[{"I78":"D19D01"}]`: " ", `[{"I78":"D01"},{"D01F00":"5"}]`: " ",
		`[{"I32":"0"},{"D23F00":"5"}]`: " Microsoft 365", `[{"I59":"1"},{"D19F00":"5"}]`: " Server",
	} {
		f := &fake{answer: func(_ http.ResponseWriter, h heard) string {
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
	f := &fake{answer: func(_ http.ResponseWriter, h heard) string {
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
	if _, err := c.DeviceName(context.Background(), backup.Device{ID: "x"}); err == nil || f.heardOf("GetAccountInfoById")[0].Params["accountId"] != 1234567.0 {
		t.Errorf("%v, asked %+v", err, f.heardOf("GetAccountInfoById"))
	}
}

// Node sessions count up by their ids; those of Microsoft 365 need not.
func TestSeq(t *testing.T) {
	f := &fake{answer: func(_ http.ResponseWriter, h heard) string {
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
