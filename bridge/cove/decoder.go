package cove

import (
	"encoding/json"
	"fmt"
	"io"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
)

// Bounds of a reply, unpacked. A device with all columns of all data sources
// takes some 7 KB, an error's text is rarely longer.
const (
	maxReply    = 64 << 20 // bytes of any reply
	maxValue    = 1 << 20  // bytes of one row, and of white space in a row
	bytesPerRow = 32 << 10 // bytes for each row that was asked for, beside maxValue
)

// replyBytes is how long the reply to a call for so many rows may be.
func replyBytes(rows int) int64 {
	return min(2*maxValue+int64(rows)*bytesPerRow, maxReply)
}

// boundedReader reads up to max bytes of a reply, and never beyond valueEnd, where the
// value that is being decoded must have ended.
type boundedReader struct {
	r                   io.Reader
	read, valueEnd, max int64
}

func (b *boundedReader) Read(p []byte) (int, error) {
	left := min(b.max, b.valueEnd) - b.read
	if left <= 0 {
		return 0, errTooLong
	}
	n, err := b.r.Read(p[:min(int64(len(p)), left)])
	b.read += int64(n)
	return n, err
}

// decoder reads JSON as it comes, whatever its size, value by value.
type decoder struct {
	text *jsontext.Decoder
	in   boundedReader
}

// decoders keep their buffers for the next reply.
var decoders = sync.Pool{New: func() any { return &decoder{text: jsontext.NewDecoder(emptyReader{})} }}

// emptyReader is a text without anything in it.
type emptyReader struct{}

func (emptyReader) Read([]byte) (int, error) { return 0, io.EOF }

func newDecoder(r io.Reader, most int64) *decoder {
	d := decoders.Get().(*decoder)
	d.in = boundedReader{r: r, valueEnd: maxValue, max: most}
	// What one service writes twice or in a broken encoding must not cost a page.
	d.text.Reset(&d.in, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	return d
}

// free gives the decoder back. What value gave must not be used after it.
func (d *decoder) free() {
	d.in.r = emptyReader{}
	decoders.Put(d)
}

// value reads a value of any kind. It is good until the next one is read.
func (d *decoder) value() (jsontext.Value, error) {
	d.in.valueEnd = d.text.InputOffset() + maxValue
	return d.text.ReadValue()
}

func (d *decoder) token() (jsontext.Token, error) {
	d.in.valueEnd = d.text.InputOffset() + maxValue
	return d.text.ReadToken()
}

func (d *decoder) peek() jsontext.Kind {
	d.in.valueEnd = d.text.InputOffset() + maxValue
	return d.text.PeekKind()
}

// decode fills v from the next value.
func (d *decoder) decode(v any) error {
	raw, err := d.value()
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, v)
}

// skip passes over a value without holding it.
func (d *decoder) skip() error {
	for depth := d.text.StackDepth(); ; {
		if _, err := d.token(); err != nil || d.text.StackDepth() <= depth {
			return err
		}
	}
}

// object reads an object, member by member; member takes the value that
// follows. null is an empty object.
func (d *decoder) object(member func(key string) error) error {
	open, err := d.token()
	if err != nil || open.Kind() == 'n' {
		return err
	}
	if open.Kind() != '{' {
		return fmt.Errorf("%s where an object should begin", describe(open.Kind()))
	}
	return d.members(member)
}

// members reads the rest of an object that was opened.
func (d *decoder) members(member func(key string) error) error {
	for {
		key, err := d.token()
		if err != nil || key.Kind() == '}' {
			return err
		}
		if err := member(key.String()); err != nil {
			return err
		}
	}
}

// elements reads the rest of an array that was opened, up to so many elements,
// and gives errMoreRows where there are more.
func (d *decoder) elements(most int, element func(jsontext.Value) error) error {
	for n := 0; ; n++ {
		if d.peek() == ']' {
			_, err := d.token()
			return err
		}
		if n == most {
			return errMoreRows
		}
		raw, err := d.value()
		if err != nil {
			return err
		}
		if err := element(raw); err != nil {
			return err
		}
	}
}

// rows reads the rows of a result, at most so many: an array under "result" of
// the result, as documented; under "data", as one client reads too; or the
// result itself. beside, if not nil, is given the other members.
func (d *decoder) rows(most int, element func(jsontext.Value) error, beside func(key string, v value)) error {
	open, err := d.token()
	if err != nil || open.Kind() == 'n' {
		return err
	}
	switch open.Kind() {
	case '[':
		return d.elements(most, element)
	case '{':
		return d.members(func(key string) error {
			if key == "result" || key == "data" {
				if d.peek() != '[' {
					return d.skip()
				}
				if _, err := d.token(); err != nil {
					return err
				}
				return d.elements(most, element)
			}
			if beside == nil {
				return d.skip()
			}
			var v value
			err := d.decode(&v)
			beside(key, v)
			return err
		})
	}
	return fmt.Errorf("%s where rows should begin", describe(open.Kind()))
}

// describe names a token by its kind: its content may be a secret.
func describe(k jsontext.Kind) string {
	switch k {
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case '0':
		return "a number"
	}
	return fmt.Sprintf("%q", string(rune(k)))
}
