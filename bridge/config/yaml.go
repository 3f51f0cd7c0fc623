package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// parse gives the top mapping, or nil after a problem.
func (d *decoder) parse(data []byte) *yaml.Node {
	if !d.text(data) {
		return nil
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, more yaml.Node
	err := dec.Decode(&doc)
	if errors.Is(err, io.EOF) {
		d.addProblem(0, "", "it is empty: covebridge init writes a commented one")
		return nil
	}
	if err != nil {
		d.syntax(err, data)
		return nil
	}
	if err := dec.Decode(&more); err == nil {
		d.addProblem(more.Line, "", "a second document begins here (---): one is expected")
	} else if !errors.Is(err, io.EOF) {
		d.syntax(err, data)
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		d.addProblem(root.Line, "", "keys such as cove, mail and delivery are expected at the top")
		return nil
	}
	return root
}

var syntaxPlace = regexp.MustCompile(`^yaml: (?:line \d+: )?`)

// syntax tells of YAML that can't be read. The YAML package's own words are for
// those who know its grammar, the one on anchors repeats what is perhaps a
// password, and its line is often that of the whole section.
func (d *decoder) syntax(err error, data []byte) {
	text := syntaxPlace.ReplaceAllString(err.Error(), "")
	said := "it can't be read from here on: " + text
	for _, w := range syntaxWords {
		if strings.HasPrefix(text, w.yaml) {
			said = w.plain
			break
		}
	}
	line := brokenLine(data)
	if lines := bytes.Split(data, []byte("\n")); bytes.Contains(lines[line-1], []byte("${")) {
		said += `; between { and } a variable must be quoted, as "${VAR}"`
	}
	d.addProblem(line, "", said)
}

// syntaxWords are plain words for what the YAML package says.
var syntaxWords = []struct{ yaml, plain string }{
	{"unknown anchor", `a value that begins with "*" must be quoted`},
	{"did not find expected alphabetic", `a value that begins with "*" or "&" must be quoted`},
	{"mapping values are not allowed", `a ":" is not expected here: indent the line as its neighbours, or quote a value that holds ": "`},
	{"did not find expected key", "this line does not go with those above it: indent it as its neighbours, and close quotes and brackets"},
	{"did not find expected '-' indicator", `the next entry of the list is expected, beginning with "- " and indented as the one before`},
	{"did not find expected ',' or ']'", `a list that begins with "[" has commas between its entries and ends with "]"`},
	{"did not find expected ',' or '}'", `what begins with "{" has commas between its keys and ends with "}"`},
	{"did not find expected node content", "a value is expected here"},
	{"could not find expected ':'", `"key: value" is expected here`},
	{"block sequence entries are not allowed", `"- " begins an entry of a list, which can't stand here: put it on a line of its own`},
	{"found character that cannot start any token", "a value can't begin so: indent with spaces, never with tabs, and quote values that begin with @, ` or %"},
	{"found a tab character", "indent with spaces, not with tabs"},
	{"found unexpected end of stream", "a quote is opened here and not closed"},
	{"found unexpected document indicator", "a quote is opened here and not closed"},
	{"found unknown escape character", `between double quotes \ has a meaning: write \\, or use single quotes`},
	{"did not find expected hexdecimal number", `between double quotes \ has a meaning: write \\, or use single quotes`},
	{"did not find URI escaped octet", `a value that begins with "!" must be quoted`},
	{"did not find expected tag URI", `a value that begins with "!" must be quoted`},
	{"did not find expected '!'", `a value that begins with "!" must be quoted`},
	{"did not find expected whitespace or line break", `a value that begins with "!" or "|" must be quoted`},
	{"did not find expected comment or line break", `a value that begins with "|" or ">" must be quoted`},
	{"found unknown directive", `a line can't begin with "%"`},
	{"could not find expected directive name", `a line can't begin with "%"`},
	{"did not find expected <document start>", "this line does not go with those above it: indent it as its neighbours, and close quotes and brackets"},
	{"exceeded max depth", "it is nested too deeply"},
}

// brokenLine is the first line with which the file can't be read: all before it
// can. A list or quote that is not closed is broken where it begins.
func brokenLine(data []byte) int {
	const most = 1000 // lines; more take long to try
	lines := bytes.SplitAfter(data, []byte("\n"))
	for n := min(len(lines), most) - 1; n > 0; n-- {
		if readable(bytes.Join(lines[:n], nil)) {
			return n + 1
		}
	}
	return 1
}

func readable(data []byte) bool {
	for dec := yaml.NewDecoder(bytes.NewReader(data)); ; {
		var doc yaml.Node
		if err := dec.Decode(&doc); err != nil {
			return errors.Is(err, io.EOF)
		}
	}
}

// text tells of a file that holds no text in UTF-8, and where.
func (d *decoder) text(data []byte) bool {
	at := func(i int) int { return 1 + bytes.Count(data[:i], []byte("\n")) }
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		switch {
		case i == 0 && (bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff"))):
			d.addProblem(1, "", "it is saved as UTF-16: save it as UTF-8")
			return false
		case r == utf8.RuneError && n == 1:
			d.addProblem(at(i), "", "a letter here is not in UTF-8, as in a file saved as Latin-1 or Windows-1252: save it as UTF-8")
			return false
		case r != '\t' && r != '\n' && r != '\r' && r != 0x85 && unicode.IsControl(r):
			d.addProblem(at(i), "", fmt.Sprintf("it holds the control character %U: it is no text file, or was damaged", r))
			return false
		}
		i += n
	}
	return true
}
