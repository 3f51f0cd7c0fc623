package config

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"

	"gopkg.in/yaml.v3"
)

// parse gives the top mapping, or nil after a problem.
func (d *decoder) parse(data []byte) *yaml.Node {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, more yaml.Node
	err := dec.Decode(&doc)
	if errors.Is(err, io.EOF) {
		d.add(0, "", "it is empty: covebridge init writes a commented one")
		return nil
	}
	if err != nil {
		d.syntax(err, data)
		return nil
	}
	if err := dec.Decode(&more); err == nil {
		d.add(more.Line, "", "a second document begins here (---): one is expected")
	} else if !errors.Is(err, io.EOF) {
		d.syntax(err, data)
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		d.add(root.Line, "", "keys such as cove, mail and delivery are expected at the top")
		return nil
	}
	return root
}

var (
	syntaxLine    = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)
	unknownAnchor = regexp.MustCompile(`^unknown anchor '(.*)' referenced`)
	// The messages of the YAML parser, as opposed to its scanner.
	fromParser = regexp.MustCompile(`^did not find expected (<|node content|'-' indicator|key|',' or)`)
)

// syntax tells of YAML that can't be read. The YAML package's message is kept,
// but for the one that repeats what is perhaps a password. Its parser counts
// lines from 0, its scanner from 1, and both leave the first line out.
func (d *decoder) syntax(err error, data []byte) {
	prefix := syntaxLine.FindStringSubmatch(err.Error())
	if prefix == nil {
		d.add(0, "", err.Error())
		return
	}
	line, _ := strconv.Atoi(prefix[1])
	text := err.Error()[len(prefix[0]):]
	if m := unknownAnchor.FindStringSubmatch(text); m != nil {
		before, _, _ := bytes.Cut(data, []byte("*"+m[1]))
		d.add(1+bytes.Count(before, []byte("\n")), "", `a value that begins with "*" must be quoted`)
		return
	}
	if fromParser.MatchString(text) {
		line++
		if bytes.Contains(data, []byte("${")) {
			text += `; between { and } a variable must be quoted, as "${VAR}"`
		}
	}
	d.add(max(line, 1), "", text)
}
