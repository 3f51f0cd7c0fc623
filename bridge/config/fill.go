package config

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// Fill puts values into a configuration that is written as config.example.yaml
// is, a key a line, and leaves everything else as it stands, comments included.
//
// The keys are paths such as "cove[0].password". A string or a []string becomes
// the key's value, which is then in use, as are the sections that it is in; nil
// comments the key out, with all below it. Values are taken as they are: a
// ${VAR} in one is no variable. A key that has no line is an error.
func Fill(text []byte, values map[string]any) ([]byte, error) {
	f := &form{lines: strings.Split(string(text), "\n"), at: map[string]int{}}
	f.index()
	for _, path := range slices.Sorted(maps.Keys(values)) {
		if err := f.put(path, values[path]); err != nil {
			return nil, fmt.Errorf("fill in %s: %w", path, err)
		}
	}
	return []byte(strings.Join(f.lines, "\n")), nil
}

// form is a configuration to fill in.
type form struct {
	lines []string
	at    map[string]int // the line of each key, by its path
}

// formLine is a key with its value and comment, perhaps commented out.
var formLine = regexp.MustCompile(`^( *)(- )?(#?)([a-z_0-9]+):(?: +(\S.*?))??( +# .*)?$`)

// index finds the line of each key.
func (f *form) index() {
	type section struct {
		indent int
		path   string
	}
	var open []section
	items := map[string]int{} // how many entries of a list were seen, by the list's path
	for n, line := range f.lines {
		m := formLine.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		indent := len(m[1])
		for len(open) > 0 && open[len(open)-1].indent >= indent {
			open = open[:len(open)-1]
		}
		path := ""
		if len(open) > 0 {
			path = open[len(open)-1].path
		}
		if m[2] != "" {
			path = fmt.Sprintf("%s[%d]", path, items[path])
			items[open[len(open)-1].path]++
			open = append(open, section{indent, path})
			indent += len(m[2])
		}
		path = below(path, m[4])
		open = append(open, section{indent, path})
		f.at[path] = n
	}
}

// put sets a key to a value, or comments it out.
func (f *form) put(path string, value any) error {
	n, ok := f.at[path]
	if !ok {
		return fmt.Errorf("there is no line for it")
	}
	if value == nil {
		f.disable(n)
		return nil
	}
	written, err := scalars(value)
	if err != nil {
		return err
	}
	m := formLine.FindStringSubmatch(f.lines[n])
	comment := strings.TrimLeft(m[6], " ")
	column := len(f.lines[n]) - len(comment)
	for at := path; at != ""; at = at[:max(strings.LastIndexByte(at, '.'), 0)] {
		if n, ok := f.at[at]; ok {
			f.lines[n] = commented.ReplaceAllString(f.lines[n], "$1$2")
		}
	}
	line := m[1] + m[2] + m[4] + ": " + written
	if comment != "" {
		line += strings.Repeat(" ", max(column-len(line), 2)) + comment
	}
	f.lines[n] = line
	return nil
}

// commented is a key that is commented out.
var commented = regexp.MustCompile(`^( *)#(\w)`)

// disable comments a key out, and what is indented below it.
func (f *form) disable(n int) {
	indent := func(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }
	top := indent(f.lines[n])
	for i := n; i < len(f.lines) && f.lines[i] != "" && (i == n || indent(f.lines[i]) > top); i++ {
		at := indent(f.lines[i])
		if f.lines[i][at] != '#' {
			f.lines[i] = f.lines[i][:at] + "#" + strings.Replace(f.lines[i][at:], "  # ", " # ", 1) // comments stay where they are
		}
	}
}

// scalars writes a text or a list of texts as YAML in one line.
func scalars(value any) (string, error) {
	node := func(text string) *yaml.Node {
		n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: strings.ReplaceAll(text, "$", "$$")}
		if strings.ContainsAny(text, "\r\n\u0085\u2028\u2029") {
			n.Style = yaml.DoubleQuotedStyle // else in lines of its own
		}
		return n
	}
	var whole *yaml.Node
	switch v := value.(type) {
	case string:
		whole = node(v)
	case []string:
		whole = &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
		for _, text := range v {
			whole.Content = append(whole.Content, node(text))
		}
	default:
		return "", fmt.Errorf("a %T can't be filled in", value)
	}
	out, err := yaml.Marshal(whole)
	return strings.TrimSuffix(string(out), "\n"), err
}
