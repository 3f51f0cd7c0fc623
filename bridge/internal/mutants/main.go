// Command mutants changes packages in small ways with gremlins, runs their own
// tests on each change, and fails where one goes unnoticed that docs/mutants.md
// does not list with a reason. It runs in the root of the repository:
//
//	go run ./bridge/internal/mutants github.com/go-gremlins/gremlins/cmd/gremlins@v0.6.0 bridge/backup
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
)

// list says why each mutant that lives is let live.
const list = "docs/mutants.md"

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: mutants GREMLINS@VERSION FOLDER…")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func run(gremlins string, folders []string) error {
	text, err := os.ReadFile(list)
	if err != nil {
		return err
	}
	known := parse(string(text))
	dir, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	failed := 0
	for _, folder := range folders {
		texts, err := sources(folder) // as gremlins copies them, for they may be worked on meanwhile
		if err != nil {
			return err
		}
		report := filepath.Join(dir, "report.json")
		// One worker, and a limit far beyond a test's time: on a busy machine a test
		// that takes long would be counted as one that noticed. -count=1, for the
		// limit is taken from how long the tests take.
		cmd := exec.Command("go", "run", gremlins, "unleash", "--workers", "1", "--timeout-coefficient", "10", "--silent", "-o", report, "./"+folder)
		cmd.Env = append(os.Environ(), "GOFLAGS=-count=1 -short")
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("gremlins on %s: %w", folder, err)
		}
		text, err := os.ReadFile(report)
		if err != nil {
			return fmt.Errorf("gremlins was stopped before it was through with %s: %w", folder, err)
		}
		var out output
		if err := json.Unmarshal(text, &out); err != nil {
			return fmt.Errorf("gremlins' report on %s: %w", folder, err)
		}
		r, err := judge(out, folder, known, texts)
		if err != nil {
			return err
		}
		fmt.Printf("%s: %d mutants killed, %d let live; %d not tried, for coverage does not count them\n", folder, r.killed, r.listed, r.uncounted)
		for _, m := range r.unlisted {
			fmt.Printf("%s, not listed in %s:\n%s\n", m.status, list, m)
		}
		failed += len(r.unlisted)
	}
	if failed > 0 {
		return fmt.Errorf("%d mutants that no test notices: add a test, or the reason to %s", failed, list)
	}
	return nil
}

// output is what gremlins reports.
type output struct {
	Files []struct {
		Name      string `json:"file_name"` // within the folder
		Mutations []struct {
			Type, Status string
			Line, Column int
		}
	}
}

// result is how a package's mutants fared.
type result struct {
	killed, listed int
	uncounted      int // not tried, for coverage does not count them: constants, conditions of a switch
	unlisted       []mutant
}

// sources reads the Go files of a folder, by name.
func sources(folder string) (texts map[string][]byte, err error) {
	names, err := filepath.Glob(filepath.Join(folder, "*.go"))
	texts = map[string][]byte{}
	for _, name := range names {
		if texts[filepath.Base(name)], err = os.ReadFile(name); err != nil {
			return nil, err
		}
	}
	return texts, err
}

// judge sorts out which mutants lived, or are in a function that no test runs.
func judge(out output, folder string, known map[mutant]bool, texts map[string][]byte) (r result, err error) {
	for _, f := range out.Files {
		name := path.Join(folder, f.Name)
		src, err := source(name, texts[f.Name])
		if err != nil {
			return r, err
		}
		for _, g := range f.Mutations {
			m := mutant{file: name, kind: g.Type}
			if m.code, err = src.mark(g.Line, g.Column); err != nil {
				return r, err
			}
			switch {
			case g.Status == "NOT COVERED" && !src.counted(g.Line, g.Column):
				r.uncounted++
			case g.Status == "KILLED", g.Status == "TIMED OUT": // one that never ends is noticed
				r.killed++
			case g.Status == "NOT VIABLE": // does not compile
			case known[m]:
				r.listed++
			default:
				m.status = g.Status
				r.unlisted = append(r.unlisted, m)
			}
		}
	}
	return r, nil
}
