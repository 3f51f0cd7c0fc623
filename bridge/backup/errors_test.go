package backup

import (
	"errors"
	"fmt"
	"testing"
)

func TestExplain(t *testing.T) {
	advice := &Advice{Err: errors.New("the disk is full"), Remedy: "free some space"}
	for _, c := range []struct {
		err               error
		text, why, remedy string
	}{
		{errors.New("no route"), "no route", "no route", ""},
		{advice, "the disk is full: free some space", "the disk is full", "free some space"},
		{fmt.Errorf("open: %w", advice), "open: the disk is full: free some space", "open: the disk is full", "free some space"},
	} {
		if c.err.Error() != c.text {
			t.Errorf("got %q, want %q", c.err, c.text)
		}
		if why, remedy := Explain(c.err); why != c.why || remedy != c.remedy {
			t.Errorf("%s: got %q and %q, want %q and %q", c.text, why, remedy, c.why, c.remedy)
		}
	}
	if why, remedy := Explain(nil); why != "" || remedy != "" {
		t.Errorf("of none: %q, %q", why, remedy)
	}
}
