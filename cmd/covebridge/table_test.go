package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"covebridge/bridge/backup"
)

// Names from outside can't steer the terminal, nor begin a line of a table.
func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"srv01 Müller 备份":       "srv01 Müller 备份",
		"a\x1b[31mb\x07\u009bc": "a\uFFFD[31mb\uFFFD\uFFFDc",
		"a\tb":                  "a b",
		"a\u202eb\u200bc":       "a\uFFFDb\uFFFDc",
		"a\r\nb":                "a\uFFFD\nb",
	} {
		if got := printable(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
	if got := oneLine("a\nb"); got != "a\uFFFDb" {
		t.Errorf("got %q", got)
	}
	g := new(app).table("Name", "Detail")
	if row := g.line([]any{"a\nb\x1b", "c\nd\x1b"}); row[0] != "a\uFFFDb\uFFFD" || row[1] != "c\nd\uFFFD" {
		t.Errorf("got %q", row)
	}
}

const aRun = "cove-1100062-20261124T061219Z"

// history is a table as the verb makes it, with names that are hard to show.
func history(customers ...string) *grid {
	g := new(app).table("Ended", "Status", "Job", "Customer", "Mail", "Run").clip("Job", "Customer")
	ended := time.Date(2026, 11, 24, 6, 23, 10, 0, time.UTC)
	for _, customer := range customers {
		g.row(ended, backup.Failed, "srv02_8re09", customer, backup.EntrySent, aRun)
	}
	return g
}

// Whatever is in a table and however wide the screen is, no line is wider, the
// names of runs are whole where there is room for them, and columns stay in line.
func TestTablesFit(t *testing.T) {
	names := []string{
		"Acme", "", strings.Repeat("x", 900), strings.Repeat("备份", 400), strings.Repeat("e\u0301", 500),
		strings.Repeat("👨‍👩‍👧", 50), "a\x1b[31m\nb", strings.Repeat("Müller & Söhne GmbH ", 40), "\u200f\u202eמגן",
	}
	for width := 20; width <= 260; width++ {
		g := history(names...)
		g.note("refused: " + strings.Repeat("long ", 100) + strings.Repeat("z", 300))
		out := g.text(screen{width: width})
		for line := range strings.Lines(out) {
			if got := text.StringWidth(strings.TrimRight(line, "\n")); got > width {
				t.Fatalf("%d cells on a screen of %d: %q", got, width, line)
			}
		}
		if runs := strings.Count(out, aRun); width >= 80 && runs != len(names) {
			t.Fatalf("%d names of runs at width %d:\n%s", runs, width, out)
		}
		if strings.ContainsAny(out, "\x1b\x00") {
			t.Fatalf("it steers the terminal: %q", out)
		}
	}
	wide := history(names...).text(screen{width: 200})
	head := strings.Split(wide, "\n")[0]
	at := text.StringWidth(head[:strings.Index(head, "Run")])
	for _, line := range strings.Split(wide, "\n")[1 : len(names)+1] {
		if got := text.StringWidth(line[:strings.Index(line, aRun)]); got != at {
			t.Errorf("the run stands at %d, its title at %d:\n%s", got, at, wide)
		}
	}
}

// One name of 900 characters makes a table no wider than one of 40 does.
func TestLongNameWidensNothing(t *testing.T) {
	for _, width := range []int{0, 80, 120, 300} {
		usual, long := history("Acme", strings.Repeat("y", maxNameWidth)), history("Acme", strings.Repeat("x", 900))
		a, b := usual.text(screen{width: width}), long.text(screen{width: width})
		first := func(s string) string { return strings.Split(s, "\n")[1] }
		if first(a) != first(b) {
			t.Errorf("at width %d the row beside it became\n%q, it was\n%q", width, first(b), first(a))
		}
	}
}

func TestTableAt80(t *testing.T) {
	g := history("Müller & Söhne GmbH")
	g.rows[0][2] = "a-device-with-a-very-long-name_8re09"
	g.note("refused")
	want := `Ended             Status  Job                Mail  Run
2026-11-24 06:23  Failed  a-device-with-a-…  sent  cove-1100062-20261124T061219Z
    → refused
Times are in UTC.
`
	if got := g.text(screen{width: 80}); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := g.text(screen{width: 80, colour: true}); !strings.Contains(got, "\x1b[31mFailed\x1b[0m  a-dev") {
		t.Errorf("got %q", got)
	}
	if got := new(app).table("Ended", "Run").text(screen{width: 80}); got != "nothing found\n" {
		t.Errorf("got %q", got)
	}
}

// COLUMNS counts without a terminal too; NO_COLOR is heard.
func TestScreen(t *testing.T) {
	a := &app{out: new(bytes.Buffer)}
	t.Setenv("COLUMNS", "")
	if got := a.screen(); got != (screen{}) {
		t.Errorf("got %+v", got)
	}
	t.Setenv("COLUMNS", "132")
	if got := a.screen(); got.width != 132 || got.colour {
		t.Errorf("got %+v", got)
	}
	t.Setenv("TERM", "xterm")
	for value, want := range map[string]bool{"": false, "1": true, "0": true} {
		if t.Setenv("NO_COLOR", value); noColour() != want {
			t.Errorf("NO_COLOR=%q: %v", value, noColour())
		}
	}
}

// Times are shown, and read, in mail.timezone.
func TestZone(t *testing.T) {
	amsterdam, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		t.Fatal(err)
	}
	a := &app{location: amsterdam}
	read, err := a.moment("--since", "2026-07-01T08:30")
	if want := time.Date(2026, 7, 1, 6, 30, 0, 0, time.UTC); err != nil || !read.Equal(want) {
		t.Errorf("got %v, %v, want %v", read, err, want)
	}
	if got := a.clock(read); got != "2026-07-01 08:30" {
		t.Errorf("got %q", got)
	}
	g := a.table("Ended", "Run")
	g.row(read, aRun)
	if got := g.text(screen{}); !strings.HasSuffix(got, "\nTimes are in Europe/Amsterdam.\n") {
		t.Errorf("got %q", got)
	}
}

// The configuration is what -c names, else $COVEBRIDGE_CONFIG, else config.yaml.
func TestConfigPlace(t *testing.T) {
	t.Chdir(t.TempDir())
	place := func(flag, env string) string {
		t.Setenv("COVEBRIDGE_CONFIG", env)
		path, named := (&app{configPath: flag}).config()
		return fmt.Sprint(path, " ", named)
	}
	if got := place("a.yaml", "b.yaml"); got != "a.yaml true" {
		t.Errorf("got %q", got)
	}
	if got := place("", "b.yaml"); got != "b.yaml true" {
		t.Errorf("got %q", got)
	}
	_, err := os.Stat(systemConfig)
	if got := place("", ""); os.IsNotExist(err) && got != "config.yaml false" {
		t.Errorf("got %q", got)
	}
	if err := os.WriteFile(filepath.Join(".", "config.yaml"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := place("", ""); got != "config.yaml false" {
		t.Errorf("got %q", got)
	}
}

// A list for programs is a list, however empty.
func TestEmptyJSON(t *testing.T) {
	var out bytes.Buffer
	a := &app{out: &out, json: true}
	if err := a.table("Run").write(); err != nil {
		t.Fatal(err)
	}
	var rows []any
	if err := json.Unmarshal(out.Bytes(), &rows); err != nil || rows == nil || len(rows) != 0 {
		t.Errorf("got %q: %v", out.String(), err)
	}
}
