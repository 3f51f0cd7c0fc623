package message

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/google/go-cmp/cmp"

	"covebridge/bridge/backup"
)

var update = flag.Bool("update", false, "write the golden mails anew")

const mails = "../../testdata/mails"

// renderer makes mails as the golden ones are made.
func renderer(t testing.TB) *Renderer {
	t.Helper()
	loc, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		t.Fatal(err)
	}
	r, err := New(Options{From: "Cove <cove@msp.example>", To: []string{"backups@msp.example"}, Location: loc})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// goldenRuns reads testdata/mails/*.json.
func goldenRuns(t testing.TB) map[string]backup.Run {
	t.Helper()
	files, err := filepath.Glob(mails + "/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no runs in %s: %v", mails, err)
	}
	runs := map[string]backup.Run{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var run backup.Run
		if err := json.Unmarshal(b, &run); err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		runs[strings.TrimSuffix(filepath.Base(f), ".json")] = run
	}
	return runs
}

func TestGolden(t *testing.T) {
	r := renderer(t)
	for name, run := range goldenRuns(t) {
		t.Run(name, func(t *testing.T) {
			m, err := r.Render(run)
			if err != nil {
				t.Fatal(err)
			}
			checkLines(t, m.Bytes)
			file := filepath.Join(mails, name+".eml")
			if *update {
				if err := os.WriteFile(file, m.Bytes, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(m.Bytes)); diff != "" {
				t.Errorf("mail differs from %s (go test -update writes it anew):\n%s", file, diff)
			}
			again, err := r.Render(run)
			if err != nil || string(again.Bytes) != string(m.Bytes) {
				t.Errorf("a second rendering differs (%v)", err)
			}
		})
	}
}

// An ordinary mail goes into an IMAP command without a pause for the server's
// answer as long as it has no more than 4,096 bytes.
func TestOrdinaryMailIsSmall(t *testing.T) {
	r := renderer(t)
	runs := goldenRuns(t)
	for _, name := range []string{"all-good", "one-source", "microsoft-365", "umlauts"} {
		m, err := r.Render(runs[name])
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d data sources, %d bytes", name, len(runs[name].Sessions), len(m.Bytes))
		if len(m.Bytes) > 4096 {
			t.Errorf("%s has %d bytes, more than 4,096", name, len(m.Bytes))
		}
	}
}
