package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf16"

	"covebridge/bridge/ledger"
)

// never must no answer hold: words of Go and its packages, and any secret. All
// secrets of the tables have HUNTER in them.
var never = regexp.MustCompile(`HUNTER|hunter|strconv|(?:^|\s)yaml:|yaml\.|template: |executing "|can't evaluate|%!|\[\]string|<nil>|\bnil\b|goroutine \d|panic|runtime error` +
	`|invalid syntax|reflect\.|unmarshal|interface \{|map\[|\*errors|backup\.[A-Z]|message\.View|arg\(s\)|ParseInt|time\.Time|pq:|unexpected EOF`)

// call runs the command in dir, within this process.
type call struct {
	dir  string
	args []string
}

// answer is what the command said, and its exit status.
func (c call) answer(t *testing.T) (said string, status int) {
	t.Helper()
	t.Chdir(c.dir)
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	var out locked
	status = execute(ctx, c.args, &out, &out)
	return out.String(), status
}

// locked is written by the logger and by the verb.
type locked struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *locked) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// judge checks an answer. Its words may be broken into lines.
func judge(t *testing.T, said string, status, want int, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(said, w) {
			t.Errorf("no %q in\n%s", w, said)
		}
	}
	if status != want {
		t.Errorf("exit status %d, want %d:\n%s", status, want, said)
	}
	if bad := never.FindString(said); bad != "" {
		t.Errorf("%q in\n%s", bad, said)
	}
	if len(said) > 3000 {
		t.Errorf("%d bytes of an answer:\n%.300s", len(said), said)
	}
}

// rows reads a table of testdata/bad: the three cells of each row that is no remark.
func rows(t *testing.T, name string, try func(t *testing.T, cells []string)) (n int) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "bad", name))
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(string(text), "\n") {
		cells := strings.SplitN(line, " | ", 3)
		if line == "" || strings.HasPrefix(line, "# ") {
			continue
		}
		if len(cells) != 3 || cells[2] == "" {
			t.Fatalf("%s:%d: %q", name, i+1, line)
		}
		n++
		t.Run(fmt.Sprintf("%s:%d", name, i+1), func(t *testing.T) { try(t, cells) })
	}
	return n
}

// configuration is the least one that works, with the key set to the value. "~"
// leaves it out; a section takes the place of all its keys.
func configuration(key, value string) string {
	sections := []string{"cove", "mail", "delivery"}
	keys := map[string][]string{
		"cove":     {"name: msp", "url: http://127.0.0.1:1/jsonapi", "username: u", "password: HUNTER1"},
		"mail":     {"from: cove@msp.example", "to: [backups@msp.example]"},
		"delivery": {"directory: mails"},
	}
	section, inner, within := strings.Cut(strings.Replace(key, "[0]", "", 1), ".")
	if _, known := keys[section]; !known {
		sections = append(sections, section)
	}
	if within {
		keys[section] = slices.DeleteFunc(keys[section], func(k string) bool { return strings.HasPrefix(k, inner+":") })
		if value != "~" {
			keys[section] = append(keys[section], inner+": "+value)
		}
	}
	var b strings.Builder
	for _, s := range sections {
		indent := "\n  "
		switch {
		case s == section && !within && value == "~":
			continue
		case s == section && !within:
			fmt.Fprintf(&b, "%s: %s\n", s, value)
			continue
		case s == "cove":
			indent = "\n    "
			b.WriteString("cove:\n  - " + strings.Join(keys[s], indent) + "\n")
			continue
		}
		b.WriteString(s + ":" + indent + strings.Join(keys[s], indent) + "\n")
	}
	return b.String()
}

// TestBadInputs gives what people get wrong, one thing at a time, and checks
// what they are told: the words that help, the exit status, and that neither a
// secret nor a word of the program's insides is among them.
func TestBadInputs(t *testing.T) {
	t.Setenv("COVEBRIDGE_CONFIG", "")
	home := t.TempDir()
	place := func(name, text string) {
		t.Helper()
		path := filepath.Join(home, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	fixtures(t, home, place)
	// Where nothing is wrong with it, nothing is said to be: the rows are about what they change.
	place("bad.yaml", configuration("log.level", "error"))
	t.Run("nothing", func(t *testing.T) {
		said, status := call{home, []string{"devices", "-c", "bad.yaml"}}.answer(t)
		judge(t, said, status, 0, "nothing found")
	})

	n := rows(t, "settings.txt", func(t *testing.T, c []string) {
		place("bad.yaml", configuration(c[0], c[1]))
		said, status := call{home, []string{"once", "-c", "bad.yaml"}}.answer(t)
		want := 2
		if strings.HasPrefix(c[0], "ledger") && !strings.Contains(said, "bad.yaml:") { // the configuration is right, the place is not
			want = status
		}
		judge(t, said, status, want, c[2])
	})
	n += rows(t, "templates.txt", func(t *testing.T, c []string) {
		dir := filepath.Join(home, "templates")
		defer os.RemoveAll(dir)
		place("templates/"+c[0], c[1])
		place("bad.yaml", configuration("mail.templates", "templates"))
		said, status := call{home, []string{"once", "-c", "bad.yaml"}}.answer(t)
		judge(t, said, status, 2, c[2])
	})
	n += rows(t, "calls.txt", func(t *testing.T, c []string) {
		args := strings.Fields(c[1])
		for i, arg := range args {
			args[i] = strings.Trim(arg, "'")
		}
		want, err := strconv.Atoi(c[0])
		if err != nil {
			t.Fatal(err)
		}
		said, status := call{home, args}.answer(t)
		judge(t, said, status, want, c[2])
	})
	n += badEnvironments(t, home)
	if n < 250 {
		t.Errorf("%d rows", n)
	}
}

// badEnvironments are what is wrong around the call.
func badEnvironments(t *testing.T, home string) int {
	all := []struct {
		name, value, args string
		status            int
		want              string
	}{
		{"COVEBRIDGE_CONFIG", "nowhere.yaml", "once", 2, "nowhere.yaml: no such file or directory"},
		{"COVEBRIDGE_CONFIG", "folder", "once", 2, "folder: it is a folder, a file is expected"},
		{"COVEBRIDGE_CONFIG", "notes.txt", "history", 2, "notes.txt:1: keys such as cove"},
		{"CREDENTIALS_DIRECTORY", "/nowhere", "once -c file.yaml", 2, "there is no file /nowhere/cove-password, nor cove-password"},
		{"CREDENTIALS_DIRECTORY", "notes.txt", "once -c file.yaml", 2, "not a directory"},
		{"COVE_PASSWORD", "", "once -c variable.yaml", 2, "missing: the token of Cove's API user"},
		{"COVEBRIDGE_INTERVAL", "HUNTER3", "once -c typed.yaml", 2, `not "${COVEBRIDGE_INTERVAL}"`},
		{"COLUMNS", "wide", "devices", 0, "nothing found"},
		{"COLUMNS", "-5", "devices", 0, "nothing found"},
		{"COLUMNS", "1", "devices", 0, "nothing found"},
	}
	for i, c := range all {
		t.Run(fmt.Sprintf("environment:%d", i), func(t *testing.T) {
			t.Setenv(c.name, c.value)
			said, status := call{home, strings.Fields(c.args)}.answer(t)
			judge(t, said, status, c.status, c.want)
		})
	}
	return len(all)
}

// fixtures are the files that the tables name.
func fixtures(t *testing.T, home string, place func(name, text string)) {
	good := configuration("log.level", "error")
	place("config.yaml", good)
	place("notes.txt", strings.Repeat("Nothing but notes.\n", 100))
	place("empty", "")
	place("binary", "\x7fELF\x00\x01\x02"+strings.Repeat("\x00\xff", 2000))
	place("huge", strings.Repeat("# a remark\n", 1<<17))
	place("folder/file", "")
	place("latin1.yaml", "# 1\n# 2\n# 3\n# 4\n# 5\n# M\xfcller\n"+good)
	place("escape.yaml", "# 1\n# \x1b[31m\n"+good)
	wide := []byte("\xff\xfe")
	for _, unit := range utf16.Encode([]rune(good)) {
		wide = append(wide, byte(unit), byte(unit>>8))
	}
	place("utf16.yaml", string(wide))
	place("indent.yaml", "cove:\n  - name: msp\n    username: u\nmail:\n  from: a@b.example\n   to: [c@d.example]\n")
	place("outdent.yaml", "mail:\n  from: a@b.example\n  to: [c@d.example]\ncove:\n  - name: msp\n   username: u\n")
	place("tab.yaml", "cove:\n\t- name: msp\n")
	place("second.yaml", good+"---\n"+good)
	place("list.yaml", "- a\n- b\n")
	place("twice.yaml", "mail: {from: a@b.example}\ncove: []\nmail: {}\n")
	place("bom.yaml", "\ufeff# saved by Notepad\ncolour: red\n"+good)
	place("crlf.yaml", strings.ReplaceAll("# 1\n# 2\ncolour: red\n"+good, "\n", "\r\n"))
	place("file.yaml", strings.Replace(good, "password: HUNTER1", "password_file: cove-password", 1))
	place("variable.yaml", strings.Replace(good, "password: HUNTER1", "password: ${COVE_PASSWORD}", 1))
	place("typed.yaml", good+"poll: {interval: '${COVEBRIDGE_INTERVAL}'}\n")
	for name, file := range map[string]string{"text": "notes.txt", "binary": "binary", "folder": "folder", "newer": "newer.db", "cut": "cut.db"} {
		place(name+"-ledger.yaml", good+"ledger: {sqlite: "+file+"}\n")
	}
	for _, name := range []string{"covebridge.db", "newer.db", "cut.db", "full.db", "other-full.db"} {
		l, err := ledger.Open(t.Context(), ledger.Options{SQLite: filepath.Join(home, name)})
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(name, "full") {
			err = l.SetValue(t.Context(), "name", name)
		}
		if err := errors.Join(err, l.Close()); err != nil {
			t.Fatal(err)
		}
	}
	db, err := sql.Open("sqlite", filepath.Join(home, "newer.db"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Exec("INSERT INTO ledger_version (version_id, is_applied) VALUES (9999, TRUE)")
	if err := errors.Join(err, db.Close(), os.Truncate(filepath.Join(home, "cut.db"), 5000)); err != nil {
		t.Fatal(err)
	}
}
