package backup

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A journal is told what a device does, look by look, as the scripts in
// testdata/journal have it, and must read, mail and come back as they say.
func TestJournal(t *testing.T) {
	files, err := filepath.Glob("testdata/journal/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range strings.Split("\n"+string(text), "\n# ")[1:] {
			name, rest, _ := strings.Cut(part, "\n")
			lines, want, found := strings.Cut(rest, "->\n")
			t.Run(name, func(t *testing.T) {
				s := script{t: t, device: device, rules: Rules{Window: 10 * time.Minute, MaxWait: 24 * time.Hour, Patience: time.Hour, Retry: 30 * time.Minute}}
				s.device.Type, s.device.UsedStorage = Server, Unknown
				s.read(lines)
				if got := s.play(); !found || strings.TrimSpace(got) != strings.TrimSpace(want) {
					t.Errorf("%s: got\n%s\nwant\n%s", file, got, want)
				}
			})
		}
	}
}
