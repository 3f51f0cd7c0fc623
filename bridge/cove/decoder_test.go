package cove

import (
	"errors"
	"strings"
	"testing"
)

// One value may not take what the whole reply may, but what nobody reads may be
// as long as the reply.
func TestBoundOfAValue(t *testing.T) {
	long := strings.Repeat("x", maxValue+maxValue/2)
	items := strings.Repeat(`"x",`, maxValue/2)
	for text, want := range map[string]error{
		`{"result":[{"a":"` + long[:maxValue/2] + `"}]}`:       nil,
		`{"result":[{"a":"` + long + `"}]}`:                    errTooLong,
		`{"result":[` + strings.Repeat(" ", maxValue+1) + `]}`: errTooLong,
		`{"visa":"` + long + `","result":[]}`:                  errTooLong,
		`{"result":[],"x":[` + items + `1]}`:                   nil,
		`{"result":[],"x":[` + items + items + `1]}`:           nil,
	} {
		var rows []row
		_, _, err := readEnvelope(strings.NewReader(text), maxReply, false, decodeRows(&rows, 10, nil))
		if !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("%d bytes of %.30s…: %v, want %v", len(text), text, err, want)
		}
	}
	_, _, err := readEnvelope(strings.NewReader(`{"result":[],"x":[`+items+items+`1]}`), replyBytes(0), false, decodeRows(new([]row), 10, nil))
	if !errors.Is(err, errTooLong) {
		t.Errorf("a reply beyond its bound: %v", err)
	}
}
