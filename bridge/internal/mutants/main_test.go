package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const code = `package p

const day = 24 * hour

func f(a, b int) bool {
	switch {
	case a == b:
		return true
	}
	return a < b || a-1 > b
}
`

func TestJudge(t *testing.T) {
	report := `{"files":[{"file_name":"f.go","mutations":[
		{"type":"ARITHMETIC_BASE","status":"NOT COVERED","line":3,"column":16},
		{"type":"CONDITIONALS_NEGATION","status":"NOT COVERED","line":7,"column":9},
		{"type":"CONDITIONALS_BOUNDARY","status":"LIVED","line":10,"column":11},
		{"type":"CONDITIONALS_NEGATION","status":"KILLED","line":10,"column":11},
		{"type":"ARITHMETIC_BASE","status":"NOT COVERED","line":10,"column":19},
		{"type":"INVERT_NEGATIVES","status":"TIMED OUT","line":10,"column":19},
		{"type":"CONDITIONALS_BOUNDARY","status":"LIVED","line":10,"column":22}]}]}`
	var out output
	if err := json.Unmarshal([]byte(report), &out); err != nil {
		t.Fatal(err)
	}
	listed := "# Mutants\n\n## p/f.go\n\n- CONDITIONALS_BOUNDARY, CONDITIONALS_NEGATION `return a ⟦<⟧ b || a-1 > b`: they are never equal.\n" +
		"- CONDITIONALS_BOUNDARY `return a < b || a-1 ⟦>⟧ b`:\n## p/g.go\n- ARITHMETIC_BASE `return a < b || a⟦-⟧1 > b`: another file.\n"
	for _, text := range []string{code, strings.Replace(code, "const", "\n\n// Added since.\nconst", 1)} {
		shift := strings.Count(text, "\n") - strings.Count(code, "\n")
		moved := out
		for i := range moved.Files[0].Mutations {
			moved.Files[0].Mutations[i].Line += shift
		}
		r, err := judge(moved, "p", parse(listed), map[string][]byte{"f.go": []byte(text)})
		if err != nil {
			t.Fatal(err)
		}
		var unlisted []string
		for _, m := range r.unlisted {
			unlisted = append(unlisted, m.status+" "+m.String())
		}
		want := []string{ // of a kind that is listed for another line, and one without a reason
			"NOT COVERED ## p/f.go\n- ARITHMETIC_BASE `return a < b || a⟦-⟧1 > b`",
			"LIVED ## p/f.go\n- CONDITIONALS_BOUNDARY `return a < b || a-1 ⟦>⟧ b`",
		}
		if r.killed != 2 || r.listed != 1 || r.uncounted != 2 || !slices.Equal(unlisted, want) {
			t.Errorf("killed %d, listed %d, not counted %d, unlisted %q", r.killed, r.listed, r.uncounted, unlisted)
		}
	}
	if _, err := judge(out, "p", nil, map[string][]byte{"f.go": []byte("package p\n")}); err == nil {
		t.Error("a file that changed was taken for the one that was tried")
	}
}

// What the list speaks of is there: a line that changed has to be thought of anew.
func TestListIsTrue(t *testing.T) {
	t.Chdir("../../..")
	text, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	known := parse(string(text))
	if n := strings.Count(string(text), "\n- "); n == 0 || len(known) < n {
		t.Errorf("%d of %d entries can be read", len(known), n)
	}
	for m := range known {
		src, err := os.ReadFile(filepath.FromSlash(m.file))
		if err != nil {
			t.Error(err)
			continue
		}
		if line := strings.NewReplacer("⟦", "", "⟧", "").Replace(m.code); !strings.Contains(string(src), line+"\n") {
			t.Errorf("%s does not have the line %s", m.file, line)
		}
	}
}
