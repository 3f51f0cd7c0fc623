package cove

import (
	"context"
	"errors"
	"fmt"
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
func failing(devices int, fails func(start int, filtered bool, call int) bool) *fakeCove {
	ids := fleet(devices)
	page := pager(&ids, plainRow)
	calls := 0
	return &fakeCove{answer: func(w http.ResponseWriter, h recordedCall) string {
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
	for _, h := range f.callsOf(methodStatistics) {
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
	calls := f.callsOf(methodStatistics)
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
		if calls := len(f.callsOf(methodStatistics)); calls != test.calls {
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
		f := &fakeCove{answer: func(_ http.ResponseWriter, h recordedCall) string {
			if h.Method == methodStatistics {
				return `{"result":{"result":[` + strings.Join(list, ",") + `]}}`
			}
			return ""
		}}
		n, err := count(t, f.client(func(o *Options) { o.PageSize = 2 }), backup.Selection{})
		if n != 2 || !errors.Is(err, errRepeatedPage) || len(f.callsOf(methodStatistics)) != 2 {
			t.Errorf("%d rows: %d devices, %v", rows, n, err)
		}
	}
}

// A server that gives more rows than asked for, but the right ones, is read.
func TestMoreRowsThanAskedFor(t *testing.T) {
	ids := fleet(7)
	f := &fakeCove{answer: func(w http.ResponseWriter, h recordedCall) string {
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
	f := &fakeCove{answer: func(_ http.ResponseWriter, h recordedCall) string {
		if h.Method == "QuerySessions" {
			return `{"result":{"result":[` + strings.TrimSuffix(rows, ",") + `]}}`
		}
		return deviceAnswers(t, h)
	}}
	_, err := f.client().Sessions(context.Background(), aServer, testNow.AddDate(0, 0, -9), testNow)
	if !errors.Is(err, backup.ErrNoHistory) || !errors.Is(err, errRepeatedPage) || len(f.callsOf("QuerySessions")) != 2 {
		t.Errorf("%v after %d calls", err, len(f.calls))
	}
}

// pager answers statistics from a list of devices.
func pager(ids *[]int, rows func(id int) string) func(http.ResponseWriter, recordedCall) string {
	return func(_ http.ResponseWriter, h recordedCall) string {
		if h.Method != "EnumerateAccountStatistics" {
			return ""
		}
		from, count := int(h.query()["StartRecordNumber"].(float64)), int(h.query()["RecordsCount"].(float64))
		var page []string
		for _, id := range (*ids)[min(from, len(*ids)):min(from+count, len(*ids))] {
			page = append(page, rows(id))
		}
		return `{"result":{"result":[` + strings.Join(page, ",") + `]}}`
	}
}

func plainRow(id int) string {
	return fmt.Sprintf(`{"AccountId":%d,"Settings":[{"I1":"device%d"}]}`, id, id)
}

// Devices come and go between pages: none is given twice, and all come.
func TestPages(t *testing.T) {
	ids := []int{1, 2, 3, 4, 5, 6, 7}
	f := &fakeCove{answer: pager(&ids, plainRow)}
	c := f.client(func(o *Options) { o.PageSize = 3 })
	var got []string
	err := c.Devices(context.Background(), backup.Selection{}, func(r backup.Row) error {
		if len(got) == 0 {
			ids = append([]int{100}, ids...) // moves the others back by one
		}
		got = append(got, strings.TrimPrefix(string(r.Key()), "cove-"))
		return nil
	})
	if err != nil || strings.Join(got, " ") != "1 2 3 4 5 6 7" {
		t.Errorf("%v, %v", got, err)
	}
	if n := len(f.callsOf("EnumerateAccountStatistics")); n != 3 {
		t.Errorf("%d pages", n)
	}
}

// Where the server tells the total, a page that it cut short is not the last.
func TestCappedPages(t *testing.T) {
	ids := []int{1, 2, 3, 4, 5}
	f := &fakeCove{answer: func(w http.ResponseWriter, h recordedCall) string {
		if h.Method != "EnumerateAccountStatistics" {
			return ""
		}
		h.query()["RecordsCount"] = float64(2)
		return strings.Replace(pager(&ids, plainRow)(w, h), "]}}", `],"totalRecordsCount":"5"}}`, 1)
	}}
	if got := all(t, f.client(), backup.Selection{}); len(got) != 5 {
		t.Errorf("%d devices", len(got))
	}
}

func TestYieldEndsDevices(t *testing.T) {
	ids := []int{1, 2, 3}
	f := &fakeCove{answer: pager(&ids, plainRow)}
	stop := errors.New("stop")
	n := 0
	err := f.client().Devices(context.Background(), backup.Selection{}, func(backup.Row) error { n++; return stop })
	if !errors.Is(err, stop) || n != 1 {
		t.Errorf("%v after %d", err, n)
	}
}
