// Package docs_test holds what the documentation says against the code.
package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const top = "../../.."

// pages are the pages that people read, by their paths from the top.
func pages(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, pattern := range []string{"*.md", "docs/*.md", "backupchecks/*.md"} {
		found, err := filepath.Glob(filepath.Join(top, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range found {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			name, _ := filepath.Rel(top, path)
			all[name] = string(text)
		}
	}
	if len(all) < 5 {
		t.Fatalf("only %d pages", len(all))
	}
	return all
}

// declared are the names of a package's types, functions, methods, constants and
// variables: collect.poll.step.
func declared(t *testing.T) (names, packages map[string]bool) {
	t.Helper()
	names, packages = map[string]bool{}, map[string]bool{}
	err := filepath.WalkDir(filepath.Join(top, "bridge"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		in := file.Name.Name
		packages[in] = true
		for _, d := range file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				name := d.Name.Name
				if d.Recv != nil {
					name = receiver(d.Recv.List[0].Type) + "." + name
				}
				names[in+"."+name] = true
			case *ast.GenDecl:
				for _, s := range d.Specs {
					switch s := s.(type) {
					case *ast.TypeSpec:
						names[in+"."+s.Name.Name] = true
					case *ast.ValueSpec:
						for _, n := range s.Names {
							names[in+"."+n.Name] = true
						}
					}
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names, packages
}

func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}

var goName = regexp.MustCompile("`([a-z]+)\\.([A-Za-z][A-Za-z.]*)(?:\\(\\))?`")

// notCode are the ends of files.
var notCode = regexp.MustCompile(`\.(md|go|yaml|yml|db|py|tmpl|eml|json|txtar|service|sh)$`)

// Names of code in the pages are names that the code has.
func TestNamesAreThere(t *testing.T) {
	names, packages := declared(t)
	seen := 0
	for page, text := range pages(t) {
		code := page == "docs/architecture.md" || page == "CONTRIBUTING.md" // the others name keys, too: log.level
		for _, m := range goName.FindAllStringSubmatch(text, -1) {
			name := m[1] + "." + m[2]
			if !packages[m[1]] || notCode.MatchString(name) || !code && strings.ToLower(name) == name {
				continue
			}
			seen++
			if !names[name] {
				t.Errorf("%s names %s, which the code has not", page, name)
			}
		}
	}
	if seen < 40 {
		t.Errorf("only %d names were found in the pages", seen)
	}
}

var link = regexp.MustCompile(`\]\(([^)#:\s]+)(#[^)\s]*)?\)`)

// Links to files lead somewhere.
func TestLinksLeadSomewhere(t *testing.T) {
	for page, text := range pages(t) {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join(top, filepath.Dir(page), m[1])); err != nil {
				t.Errorf("%s: %s leads nowhere", page, m[1])
			}
		}
	}
}

var kind = regexp.MustCompile(`Kind\{Name: "([a-z_]+)"`)

// Each finding is in the page that people look it up in.
func TestFindingsAreExplained(t *testing.T) {
	page := pages(t)["docs/troubleshooting.md"]
	found := 0
	err := filepath.WalkDir(filepath.Join(top, "bridge"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range kind.FindAllStringSubmatch(string(text), -1) {
			found++
			if !strings.Contains(page, "`"+m[1]+"`") {
				t.Errorf("docs/troubleshooting.md does not tell of %s", m[1])
			}
		}
		return err
	})
	if err != nil || found < 15 {
		t.Errorf("%d findings in the code: %v", found, err)
	}
}
