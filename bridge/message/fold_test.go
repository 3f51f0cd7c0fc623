package message

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"covebridge/bridge/backup"
)

func TestFoldOrdersByWhatTheyTell(t *testing.T) {
	at := time.Date(2026, 11, 24, 2, 0, 0, 0, time.UTC)
	got := Fold([]backup.Error{
		{Text: "Operation Aborted", Count: 1},
		{Text: "Access is denied", File: "a", Count: 2, Time: at.Add(time.Minute)},
		{Text: "Access is denied", File: "b", Count: 9},
		{Text: "Access is denied", File: "a", Count: 3, Time: at},
		{Text: "Insufficient disk space for backup"},
		{Text: "The network is gone", Count: 4, Time: at.Add(time.Hour)},
		{Text: "A file is gone", Count: 4, Time: at.Add(2 * time.Hour)},
		{Text: "A disk is gone", Count: 4, Time: at.Add(2 * time.Hour)},
	})
	want := []backup.Error{
		{Text: "The network is gone", Count: 4, Time: at.Add(time.Hour)},
		{Text: "A disk is gone", Count: 4, Time: at.Add(2 * time.Hour)},
		{Text: "A file is gone", Count: 4, Time: at.Add(2 * time.Hour)},
		{Text: "Insufficient disk space for backup", Count: 1},
		{Text: "Access is denied", File: "b", Count: 9},
		{Text: "Access is denied", File: "a", Count: 5, Time: at},
		{Text: "Operation Aborted", Count: 1},
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// Whatever the errors and their order, no occurrence is lost, none is shown
// twice, and the outcome is the same.
func TestFoldLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		errors := rapid.SliceOf(rapid.Custom(func(t *rapid.T) backup.Error {
			return backup.Error{
				Text:  rapid.SampledFrom([]string{"a", "b", "aborted", ""}).Draw(t, "text"),
				File:  rapid.SampledFrom([]string{"", "x", "y"}).Draw(t, "file"),
				Code:  rapid.SampledFrom([]string{"", "1"}).Draw(t, "code"),
				Count: rapid.Int64Range(0, 5).Draw(t, "count"),
			}
		})).Draw(t, "errors")
		sum := func(list []backup.Error) (n int64) {
			for _, e := range list {
				n += max(e.Count, 1)
			}
			return n
		}
		folded := Fold(errors)
		if sum(folded) != sum(errors) {
			t.Fatalf("%d of %d errors are left", sum(folded), sum(errors))
		}
		seen := map[string]bool{}
		for _, e := range folded {
			key := e.Text + "|" + e.File + "|" + e.Code
			if seen[key] {
				t.Fatalf("%s twice", key)
			}
			seen[key] = true
		}
		slices.Reverse(errors)
		if fmt.Sprint(Fold(errors)) != fmt.Sprint(folded) {
			t.Fatal("the order of reading changes the outcome")
		}
	})
}

func TestShare(t *testing.T) {
	for _, c := range []struct {
		wants []int
		total int
		want  []int
	}{
		{[]int{60}, 50, []int{50}},
		{[]int{60, 2, 60}, 50, []int{24, 2, 24}},
		{[]int{1, 2}, 50, []int{1, 2}},
		{nil, 50, []int{}},
	} {
		if got := divideEvenly(c.wants, c.total); !slices.Equal(got, c.want) {
			t.Errorf("share(%v, %d) = %v, want %v", c.wants, c.total, got, c.want)
		}
	}
}

func TestSixtyErrors(t *testing.T) {
	m, err := renderer(t).Render(goldenRuns(t)["60-errors"])
	if err != nil {
		t.Fatal(err)
	}
	text := parse(t, m.Bytes).text
	if n := strings.Count(text, "\r\n  Error: "); n != MaxErrors+1 {
		t.Errorf("%d error lines", n)
	}
	if !strings.Contains(text, "\r\n  Error: and 10 more\r\n") {
		t.Errorf("what is left out is not told:\n%s", text)
	}
}
