package backup

import (
	"math"
	"strings"
	"testing"
)

// An identity can stand in a Message-ID and a file's name, whatever the product says.
func TestIdentityHoldsFewSigns(t *testing.T) {
	for id, want := range map[string]string{
		"09AZaz_": "cove-09AZaz_", "/:@[`{-": "cove-%2F%3A%40%5B%60%7B%2D", "é": "cove-%C3%A9",
		strings.Repeat("x", 64): "cove-" + strings.Repeat("x", 64),
	} {
		if got := (Device{Product: "cove", ID: id}).Key(); got != want {
			t.Errorf("%q: got %s, want %s", id, got, want)
		}
	}
	long, longer := strings.Repeat("x", 65), strings.Repeat("x", 66)
	a, b := (Device{Product: "cove", ID: long}).Key(), (Device{Product: "cove", ID: longer}).Key()
	if a == b || len(a) != len("cove-")+64 || strings.Contains(a, "xx") {
		t.Errorf("long ones are called %s and %s", a, b)
	}
}

func TestTotals(t *testing.T) {
	session := func(n, errors int64, texts ...Error) Session {
		return Session{SelectedCount: n, SelectedBytes: n, ProcessedCount: n, ProcessedBytes: n, SentBytes: n, ErrorCount: errors, Errors: texts}
	}
	for _, c := range []struct {
		name                  string
		sessions              []Session
		bytes, sent, errCount int64
	}{
		{"nothing", nil, Unknown, Unknown, 0},
		{"not told", []Session{session(Unknown, Unknown)}, Unknown, Unknown, 0},
		{"nothing selected", []Session{session(0, 0)}, 0, 0, 0},
		{"one of two told", []Session{session(Unknown, 2), session(5, 1)}, 5, 5, 3},
		{"both", []Session{session(4, 2), session(5, 1)}, 9, 9, 3},
		{"more than fits", []Session{session(math.MaxInt64, 0), session(2, 0)}, math.MaxInt64, math.MaxInt64, 0},
		{"texts beyond the count", []Session{session(1, 1, Error{Count: 2}, Error{Text: "no count"})}, 1, 1, 3},
	} {
		got := Run{Sessions: c.sessions, Device: Device{UsedStorage: 7}}.Totals()
		want := Totals{c.bytes, c.bytes, c.bytes, c.bytes, c.sent, c.errCount, 7}
		if got != want {
			t.Errorf("%s: got %+v, want %+v", c.name, got, want)
		}
	}
}

func TestClean(t *testing.T) {
	for _, c := range []struct {
		session Session
		want    bool
	}{
		{Session{State: Ended}, true},
		{Session{State: Ended, ErrorCount: Unknown}, true},
		{Session{State: Ended, ErrorCount: 1}, false},
		{Session{State: Ended, Status: Warning}, false},
		{Session{State: Running}, false},
	} {
		if got := c.session.Clean(); got != c.want {
			t.Errorf("%+v: %v", c.session, got)
		}
	}
}
