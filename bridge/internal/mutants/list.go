package main

import (
	"fmt"
	"regexp"
	"strings"
)

// mutant is one change, by what stays when lines move.
type mutant struct {
	file   string // from the root on
	kind   string // gremlins' name of it: CONDITIONALS_BOUNDARY
	code   string // the line, with the operator that is changed marked: if at ⟦<⟧ 0 {
	status string // how it fared, in gremlins' words; empty in a list
}

// String gives the mutant as it is to be listed, but for the reason.
func (m mutant) String() string {
	return fmt.Sprintf("## %s\n- %s `%s`", m.file, m.kind, m.code)
}

var entry = regexp.MustCompile("^- ([A-Z_, ]+) `(.*)`: .")

// parse reads a list: headings name files, and below them each line that begins
// with "- " a mutant and the reason why it lives; "A, B" stands for two of a kind.
func parse(text string) map[mutant]bool {
	known, file := map[mutant]bool{}, ""
	for line := range strings.SplitSeq(text, "\n") {
		if name, ok := strings.CutPrefix(line, "## "); ok {
			file = name
		}
		if m := entry.FindStringSubmatch(line); m != nil {
			for kind := range strings.SplitSeq(m[1], ", ") {
				known[mutant{file: file, kind: kind, code: m[2]}] = true
			}
		}
	}
	return known
}
