package realtest_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Each test that does less under the race detector is one of those that
// `make test` runs without it, too.
func TestRacedRunWhole(t *testing.T) {
	root := filepath.Join("..", "..", "..")
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	variable := func(name string) string {
		found := regexp.MustCompile(`(?m)^` + name + ` = (.*)$`).FindSubmatch(makefile)
		if found == nil {
			t.Fatalf("no %s in the Makefile", name)
		}
		return strings.ReplaceAll(string(found[1]), "$$", "$")
	}
	whole, folders := regexp.MustCompile(variable("WHOLE")), strings.Fields(variable("WHOLE_IN"))
	function := regexp.MustCompile(`^func (\w+)\(`)
	found := 0
	err = filepath.WalkDir(filepath.Join(root, "bridge"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") || path == filepath.Join(root, "bridge/internal/realtest/raced_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		in := ""
		for line := range strings.Lines(string(text)) {
			if f := function.FindStringSubmatch(line); f != nil {
				in = f[1]
			}
			if !strings.Contains(line, "realtest.Raced(") {
				continue
			}
			found++
			folder, _ := filepath.Rel(root, filepath.Dir(path))
			if !slices.Contains(folders, "./"+folder) || strings.HasPrefix(in, "Test") && !whole.MatchString(in) {
				t.Errorf("%s in ./%s does less under the race detector: add it to WHOLE and WHOLE_IN of the Makefile", in, folder)
			}
		}
		return nil
	})
	if err != nil || found < 10 {
		t.Fatalf("%d uses of Raced found: %v", found, err)
	}
}
