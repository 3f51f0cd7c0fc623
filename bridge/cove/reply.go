package cove

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"covebridge/bridge/backup"
)

// read takes a reply apart. What is no JSON-RPC reply is broken, and so is a
// status that says so, unless the reply holds an error of Cove's that another
// try would not mend.
func (c *Client) read(resp *http.Response, r request, decode func(*decoder) error) (visa string, err error) {
	visa, f, err := readEnvelope(resp.Body, replyBytes(r.rows), r.auth == authGet, decode)
	status := resp.StatusCode
	busy := status == http.StatusTooManyRequests || status == http.StatusRequestTimeout || status >= 500
	answered := f.set && (err == nil || status != http.StatusOK)
	switch {
	case answered && (!busy || f.permanent() && status != http.StatusTooManyRequests):
		return visa, &Error{r.method, f.code, f.number, c.quote(f.message), status}
	case errors.Is(err, errTooLong):
		return "", err
	case answered && f.message != "":
		return "", transientError{fmt.Errorf("HTTP %d from Cove: %s", status, c.quote(f.message))}
	case busy:
		return "", transientError{fmt.Errorf("HTTP %d from Cove", status)}
	case status != http.StatusOK:
		return "", &Error{Method: r.method, HTTPStatus: status}
	case err != nil:
		return "", transientError{fmt.Errorf("broken reply: %w", withoutContent(err))}
	}
	return visa, nil
}

// withoutContent gives what is wrong with a text, and not the names in it that
// jsontext would tell: they may be anything.
func withoutContent(err error) error {
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) {
		return fmt.Errorf("%w at byte %d", syntax.Err, syntax.ByteOffset)
	}
	return err
}

var (
	errHTML  = &backup.Advice{Err: errors.New("a web page instead of JSON"), Remedy: "check url in the configuration, and whether something stands between"}
	errEmpty = errors.New("neither result nor error")
	// errMoreRows ends the reading of a reply that holds more rows than were
	// asked for. Nothing beyond them is decoded.
	errMoreRows = errors.New("more rows than were asked for")
)

// readEnvelope reads a JSON-RPC reply, or one of JSON:API whose data is the
// result, of at most so many bytes as it comes, and hands the result to decode
// without holding it whole.
func readEnvelope(body io.Reader, most int64, api bool, decode func(*decoder) error) (visa string, f fault, err error) {
	text := bufio.NewReader(body)
	if bom, _ := text.Peek(3); string(bom) == "\uFEFF" {
		text.Discard(3)
	}
	for skipped := 0; ; skipped++ {
		first, err := text.Peek(1)
		if err != nil {
			return "", f, noEOF(err)
		}
		if first[0] == '<' {
			return "", f, errHTML
		}
		if first[0] != ' ' && first[0] != '\n' && first[0] != '\r' && first[0] != '\t' {
			break
		}
		if skipped > maxValue {
			return "", f, errTooLong
		}
		text.Discard(1)
	}
	dec := newDecoder(text, most)
	defer dec.free()
	var seen bool
	result := "result"
	if api {
		result = "data"
	}
	err = dec.object(func(key string) error {
		switch key {
		case "visa":
			var v value
			err := dec.decode(&v)
			visa = v.text
			return err
		case "error":
			return dec.decode(&f)
		case result:
			seen = true
			return decode(dec)
		}
		return dec.skip()
	})
	switch {
	case errors.Is(err, errMoreRows):
		err = nil
	case err == nil && !seen && !f.set:
		err = errEmpty
	}
	return visa, f, noEOF(err)
}

// noEOF turns the end of a reply that was cut off into an error.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// span is which rows a call asks for.
type span struct{ Offset, Size int }

// decodeRows gives a decoder that fills rows, from the beginning at each try,
// with at most so many. more, if not nil, is set where there were others.
func decodeRows(rows *[]row, most int, more *bool) func(*decoder) error {
	return func(dec *decoder) error {
		*rows = nil
		err := dec.rows(most, func(raw jsontext.Value) error {
			var r row
			err := json.Unmarshal(raw, &r)
			*rows = append(*rows, r)
			return err
		}, nil)
		if more != nil {
			*more = errors.Is(err, errMoreRows)
		}
		return err
	}
}
