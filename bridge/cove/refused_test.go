package cove

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"covebridge/bridge/backup"
	"covebridge/bridge/covesim"
)

// spoiled answers 13501 where one of the columns is asked for.
func spoiled(t testing.TB, columns ...string) func(http.ResponseWriter, recordedCall) string {
	return func(_ http.ResponseWriter, h recordedCall) string {
		if h.Method != "EnumerateAccountStatistics" {
			return ""
		}
		for _, name := range h.columns() {
			if slices.Contains(columns, name) {
				return recorded(t, "error-security.json")
			}
		}
		return `{"result":{"result":[` + plainRow(1) + `]}}`
	}
}

// A column that this user may not see is found by halving, left out, and said
// once.
func TestRefusedColumn(t *testing.T) {
	for _, bad := range [][]string{{"D03F00"}, {"D09F08"}, {"I2"}, {"I1", "D20F18"}, {"D03F00", "D03F01", "D03F02", "D03F03"}} {
		f := &fakeCove{answer: spoiled(t, bad...)}
		var said notices
		c := f.client(func(o *Options) { o.Notice = said.add })
		for range 3 {
			if got := all(t, c, backup.Selection{}); len(got) != 1 {
				t.Fatalf("%d devices", len(got))
			}
		}
		calls := f.callsOf("EnumerateAccountStatistics")
		if n := len(calls); n > 10+16*len(bad) {
			t.Errorf("%v took %d calls", bad, n)
		}
		last := calls[len(calls)-1].columns()
		if want := len(New(Options{}).columns.wanted()) - len(bad); len(last) != want {
			t.Errorf("%v: %d columns, want %d", bad, len(last), want)
		}
		list := said.list()
		if len(list) != 1 {
			t.Fatalf("said %q", list)
		}
		for _, name := range bad {
			if !strings.Contains(list[0], name) {
				t.Errorf("said %q, not %s", list[0], name)
			}
		}
	}
}

// A user who may not see the customer is told so, without a search.
func TestRefusedCustomer(t *testing.T) {
	f := &fakeCove{answer: func(_ http.ResponseWriter, h recordedCall) string {
		if h.Method != "Login" {
			return recorded(t, "error-security.json")
		}
		return ""
	}}
	err := f.client().Devices(context.Background(), backup.Selection{Since: time.Hour}, nil)
	if !hasErrorNumber(err, errSecurity) || !strings.Contains(err.Error(), "partner_id") || len(f.callsOf("EnumerateAccountStatistics")) > 3 {
		t.Errorf("%v after %d calls", err, len(f.calls))
	}
}

// Where Cove does not take the filter, everything is read, said once, and the
// filter tried again the next time.
func TestRefusedFilter(t *testing.T) {
	refuses := true
	f := &fakeCove{answer: func(_ http.ResponseWriter, h recordedCall) string {
		switch {
		case h.Method != "EnumerateAccountStatistics":
			return ""
		case h.query()["Filter"] != nil && refuses:
			return `{"error":{"code":-32603,"message":"no such function: ago"}}`
		}
		return `{"result":{"result":[` + plainRow(1) + `]}}`
	}}
	var said notices
	c := f.client(func(o *Options) { o.Notice = said.add })
	for i := range 4 {
		refuses = i < 3
		if got := all(t, c, backup.Selection{Since: time.Hour}); len(got) != 1 {
			t.Errorf("%d devices", len(got))
		}
		filtered := 0
		for _, h := range f.callsOf("EnumerateAccountStatistics") {
			if h.query()["Filter"] != nil {
				filtered++
			}
		}
		if filtered != i+1 {
			t.Errorf("poll %d: %d calls with a filter", i, filtered)
		}
	}
	if list := said.list(); len(list) != 1 || !strings.Contains(list[0], "no such function") {
		t.Errorf("said %q", list)
	}
}

// Filter and column, both refused: both are found.
func TestRefusedFilterAndColumn(t *testing.T) {
	column := spoiled(t, "D10F03")
	f := &fakeCove{answer: func(w http.ResponseWriter, h recordedCall) string {
		if h.Method == "EnumerateAccountStatistics" && h.query()["Filter"] != nil {
			return recorded(t, "error-security.json")
		}
		return column(w, h)
	}}
	var said notices
	got := all(t, f.client(func(o *Options) { o.Notice = said.add }), backup.Selection{Since: time.Hour})
	if len(got) != 1 || len(said.list()) != 2 {
		t.Errorf("%d devices, said %q", len(got), said.list())
	}
}

// The same against the simulator, whatever spelling it has for the column.
func TestRefusedColumnAtSimulator(t *testing.T) {
	sim := covesim.New(covesim.Options{Seed: 3, Start: simStart})
	sim.Fault(covesim.Fault{Kind: covesim.Denied, Columns: []string{"Q0", "D3F18"}})
	var said notices
	c := simulated(t, sim, func(o *Options) { o.Notice = said.add })
	if got := all(t, c, backup.Selection{}); len(got) != 40 {
		t.Errorf("%d devices", len(got))
	}
	if list := said.list(); len(list) != 1 || !strings.Contains(list[0], "[D03F00 D03F18]") {
		t.Errorf("said %q", list)
	}
}

func TestHalveEndsOnOtherErrors(t *testing.T) {
	gone := &Error{Method: "M", Number: 99}
	n := 0
	bad, err := bisect([]string{"a", "b", "c", "d"}, func([]string) error {
		if n++; n > 1 {
			return gone
		}
		return &Error{Number: errSecurity}
	})
	if !errors.Is(err, gone) || bad != nil {
		t.Errorf("%v, %v", bad, err)
	}
}
