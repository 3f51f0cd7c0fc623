package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"slices"
	"strings"
)

// file is a source file that has mutants.
type file struct {
	name    string
	lines   []string
	covered []span // what coverage counts: functions
	cases   []span // but not the conditions of a switch in them
}

// span is from one place up to another, as lines and columns.
type span struct{ from, to token.Position }

func (s span) holds(line, column int) bool {
	after := line > s.from.Line || line == s.from.Line && column >= s.from.Column
	return after && (line < s.to.Line || line == s.to.Line && column < s.to.Column)
}

func source(name string, text []byte) (f file, err error) {
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, name, text, parser.SkipObjectResolution)
	if err != nil {
		return f, err
	}
	f = file{name: name, lines: strings.Split(string(text), "\n")}
	place := func(from, to token.Pos) span { return span{set.Position(from), set.Position(to)} }
	ast.Inspect(tree, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			f.covered = append(f.covered, place(n.Pos(), n.End()))
		case *ast.CaseClause:
			f.cases = append(f.cases, place(n.Case, n.Colon))
		}
		return true
	})
	return f, nil
}

// mark gives a line without its indent, with the operator at that column marked.
// Lines and columns, in bytes, begin at 1.
func (f file) mark(line, column int) (string, error) {
	if line < 1 || line > len(f.lines) || column < 1 || column > len(f.lines[line-1]) {
		return "", fmt.Errorf("%s has no line %d, column %d: it changed while gremlins ran", f.name, line, column)
	}
	before, rest := f.lines[line-1][:column-1], f.lines[line-1][column-1:]
	var s scanner.Scanner
	set := token.NewFileSet()
	s.Init(set.AddFile("", -1, len(rest)), []byte(rest), nil, 0)
	_, tok, _ := s.Scan()
	op := tok.String()
	return strings.TrimLeft(before, "\t ") + "⟦" + op + "⟧" + strings.TrimPrefix(rest, op), nil
}

// counted tells whether coverage says of this place whether a test comes by.
func (f file) counted(line, column int) bool {
	in := func(all []span) bool {
		return slices.ContainsFunc(all, func(s span) bool { return s.holds(line, column) })
	}
	return in(f.covered) && !in(f.cases)
}
