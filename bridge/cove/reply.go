package cove

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// read takes a reply apart. What is no JSON-RPC reply is broken, and so is a
// status that says so, unless the reply holds an error of Cove's.
func (c *Client) read(resp *http.Response, method string, decode func(*json.Decoder) error) (visa string, err error) {
	visa, f, err := readEnvelope(&bounded{resp.Body, maxReply}, decode)
	if f.set && (err == nil || resp.StatusCode != http.StatusOK) {
		if busy := resp.StatusCode == http.StatusTooManyRequests; !busy {
			return visa, &Error{method, f.code, f.number, c.quote(f.message), resp.StatusCode}
		}
	}
	switch status := resp.StatusCode; {
	case errors.Is(err, errTooBig):
		return "", err
	case status == http.StatusTooManyRequests, status == http.StatusRequestTimeout, status >= 500:
		return "", broken{fmt.Errorf("HTTP %d from Cove", status)}
	case status != http.StatusOK:
		return "", &Error{Method: method, HTTPStatus: status}
	case err != nil:
		return "", broken{fmt.Errorf("broken reply: %w", err)}
	}
	return visa, nil
}

var (
	errHTML  = errors.New("a web page instead of JSON: check the URL in the configuration, and whether something stands between")
	errEmpty = errors.New("neither result nor error")
)

// readEnvelope reads a JSON-RPC reply as it comes, and hands the result to
// decode without holding it whole.
func readEnvelope(body io.Reader, decode func(*json.Decoder) error) (visa string, f fault, err error) {
	text := bufio.NewReader(body)
	if bom, _ := text.Peek(3); string(bom) == "\uFEFF" {
		text.Discard(3)
	}
	for {
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
		text.Discard(1)
	}
	dec := json.NewDecoder(text)
	var seen bool
	err = readObject(dec, func(key string) error {
		switch key {
		case "visa":
			var v value
			err := dec.Decode(&v)
			visa = v.text
			return err
		case "error":
			return dec.Decode(&f)
		case "result":
			seen = true
			return decode(dec)
		}
		return skip(dec)
	})
	if err == nil && !seen && !f.set {
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

// readObject reads an object, member by member; member takes the value that
// follows. null is an empty object.
func readObject(dec *json.Decoder, member func(key string) error) error {
	open, err := dec.Token()
	if err != nil || open == nil {
		return err
	}
	if open != json.Delim('{') {
		return fmt.Errorf("%v where an object should begin", describe(open))
	}
	return members(dec, member)
}

// members reads the rest of an object that was opened.
func members(dec *json.Decoder, member func(key string) error) error {
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return err
		}
		if err := member(fmt.Sprint(key)); err != nil {
			return err
		}
	}
	_, err := dec.Token()
	return err
}

// elements reads the rest of an array that was opened.
func elements(dec *json.Decoder, element func() error) error {
	for dec.More() {
		if err := element(); err != nil {
			return err
		}
	}
	_, err := dec.Token()
	return err
}

// readRows reads the rows of a result, one at a time: an array under "result"
// of the result, as documented; under "data", as one client reads too; or the
// result itself. beside, if not nil, is given the other members.
func readRows(dec *json.Decoder, element func() error, beside func(key string, v value)) error {
	open, err := dec.Token()
	if err != nil || open == nil {
		return err
	}
	switch open {
	case json.Delim('['):
		return elements(dec, element)
	case json.Delim('{'):
		return members(dec, func(key string) error {
			if key == "result" || key == "data" {
				inner, err := dec.Token()
				switch {
				case err != nil || inner == nil:
					return err
				case inner == json.Delim('['):
					return elements(dec, element)
				case inner == json.Delim('{'):
					return members(dec, func(string) error { return skip(dec) })
				}
				return nil
			}
			if beside == nil {
				return skip(dec)
			}
			var v value
			err := dec.Decode(&v)
			beside(key, v)
			return err
		})
	}
	return fmt.Errorf("%s where rows should begin", describe(open))
}

func skip(dec *json.Decoder) error {
	var unused json.RawMessage
	return dec.Decode(&unused)
}

// describe names a token by its kind: its content may be a secret.
func describe(t json.Token) string {
	switch t.(type) {
	case json.Delim:
		return fmt.Sprintf("%q", fmt.Sprint(t))
	case string:
		return "a string"
	case bool:
		return "a boolean"
	}
	return "a number"
}
