package message

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// with makes a renderer with one template replaced.
func with(t *testing.T, name, text string) (*Renderer, error) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return New(Options{From: "a@b.example", To: []string{"c@d.example"}, Templates: dir})
}

func TestOwnTemplates(t *testing.T) {
	run := goldenRuns(t)["newlines"]
	for _, c := range []struct{ name, text, want string }{
		{"subject.tmpl", "\n {{.Run.Status}}\r\nBcc: {{.Run.Job}}\n\n", "Failed Bcc: srv Bcc: x@evil.example Status: Success"},
		{"subject.tmpl", "{{/* nothing */}}", "[Cove] Failed: srv Bcc: x@evil.example Status: Success"},
		{"text.tmpl", "Total {{size .Totals.SelectedBytes}}, {{count .Totals.ErrorCount}}, {{time .Run.Start}}, {{duration .Run.Duration}}\rFrom x\n.\n", "Total 12.3 GB, 0, 2026-11-24 01:00:13 +0000, 41m 54s"},
		{"html.tmpl", "<style>p:before{content:'→'}</style><p>{{.Run.Job}}", "<p>srv Bcc"},
	} {
		r, err := with(t, c.name, c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		m, err := r.Render(run)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		checkLines(t, m.Bytes)
		p := parse(t, m.Bytes)
		if all := m.Subject + p.text + p.html; !strings.Contains(all, c.want) {
			t.Errorf("%s: no %q in\n%s", c.text, c.want, all)
		}
		if strings.Contains(c.name, "subject") && m.Subject != c.want {
			t.Errorf("subject %q, want %q", m.Subject, c.want)
		}
	}
}

func TestBrokenTemplates(t *testing.T) {
	for _, c := range []struct {
		name, text string
		line, col  int
		cause      string
	}{
		{"subject.tmpl", "a\n{{if}}", 2, 0, "a value is missing after if, as in {{if .Remarks}}"},
		{"text.tmpl", "a\n\nb {{.Run.Nothing}}", 3, 8, "{{.Run.Nothing}}: there is no .Nothing; there are .ID, .Kind, .Job, .Device, "},
		{"text.tmpl", "{{.Run.Previous.SentBytes}}", 1, 0, "not every run has it: put {{with}} or {{if}} around it"}, // only a run without a previous one shows it
		{"text.tmpl", "{{nofunc .}}", 1, 0, `there is no function nofunc; there are and, call, count, duration, eq`},
		{"html.tmpl", "<p>\n<a href='{{.Run.Job}}", 0, 0, "is opened and not closed"},
		{"htm.tmpl", "x", 0, 0, "not used by any mail"},
	} {
		_, err := with(t, c.name, c.text)
		var te *TemplateError
		if !errors.As(err, &te) {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if filepath.Base(te.File) != c.name || c.line > 0 && te.Line != c.line || c.col > 0 && te.Col != c.col || !strings.Contains(te.Error(), c.cause) {
			t.Errorf("%s: line %d, column %d: %v", c.text, te.Line, te.Col, te)
		}
	}
}

func TestTemplatesDirectoryMissing(t *testing.T) {
	_, err := New(Options{From: "a@b.example", To: []string{"c@d.example"}, Templates: filepath.Join(t.TempDir(), "none")})
	var te *TemplateError
	if !errors.As(err, &te) || !strings.Contains(err.Error(), "can't be read") {
		t.Errorf("got %v", err)
	}
}

// A template that is there and can't be read is told of, and not replaced by the
// built-in one.
func TestTemplateUnreadable(t *testing.T) {
	for _, name := range []string{"subject.tmpl", "html.tmpl"} {
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
		_, err := New(Options{From: "a@b.example", To: []string{"c@d.example"}, Templates: dir})
		var te *TemplateError
		if !errors.As(err, &te) || te.File != filepath.Join(dir, name) || te.Cause != "is a directory" {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
