package message

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"time"

	"covebridge/templates"
)

// TemplateError tells what is wrong with a template, and where.
type TemplateError struct {
	File      string // path, or name of the embedded one
	Line, Col int    // 0: not known
	Cause     string
	Err       error // as the template library gave it
}

func (e *TemplateError) Error() string {
	at := e.File
	if e.Line > 0 {
		at += ":" + strconv.Itoa(e.Line)
		if e.Col > 0 {
			at += ":" + strconv.Itoa(e.Col)
		}
	}
	return "template " + at + ": " + e.Cause
}

func (e *TemplateError) Unwrap() error { return e.Err }

// names of the templates.
const (
	subjectName = "subject.tmpl"
	textName    = "text.tmpl"
	htmlName    = "html.tmpl"
)

// set holds the three templates as functions from a view to a text.
type set struct {
	subject, text, html func(View) (string, error)
}

// load reads the templates, from dir where it has them.
func load(dir string, c clock) (*set, error) {
	if err := checkDir(dir); err != nil {
		return nil, err
	}
	funcs := functionsOf(c)
	plain := func(name string) (func(View) (string, error), error) {
		src, file, err := source(dir, name)
		if err != nil {
			return nil, err
		}
		t, err := template.New(name).Funcs(funcs).Parse(src)
		if err != nil {
			return nil, templateError(file, err)
		}
		return func(v View) (string, error) {
			var b bytes.Buffer
			if err := t.Execute(&b, v); err != nil {
				return "", templateError(file, err)
			}
			return b.String(), nil
		}, nil
	}
	var s set
	var err error
	if s.subject, err = plain(subjectName); err != nil {
		return nil, err
	}
	if s.text, err = plain(textName); err != nil {
		return nil, err
	}
	src, file, err := source(dir, htmlName)
	if err != nil {
		return nil, err
	}
	t, err := htmltemplate.New(htmlName).Funcs(funcs).Parse(src)
	if err != nil {
		return nil, templateError(file, err)
	}
	s.html = func(v View) (string, error) {
		var b bytes.Buffer
		if err := t.Execute(&b, v); err != nil {
			return "", templateError(file, err)
		}
		return b.String(), nil
	}
	return &s, nil
}

// functionsOf are the functions that templates have beside the packages' own.
func functionsOf(c clock) map[string]any {
	return map[string]any{
		"size":     size,
		"count":    count,
		"duration": func(d time.Duration) string { return duration(d) },
		"time":     c.full,
		"short":    func(s string) string { return truncate(s, maxWord) },
		"link":     link,
	}
}

// link is the attribute of a link to an address, as it is: parentheses, which
// consoles have in theirs, would not survive as an address to html/template.
func link(address string) htmltemplate.HTMLAttr {
	if !strings.HasPrefix(address, "https://") {
		return ""
	}
	return htmltemplate.HTMLAttr(`href="` + htmltemplate.HTMLEscapeString(address) + `"`)
}

// checkDir refuses a directory that can't be read, and templates in it that
// nothing would use: as a rule a name that is spelt wrong.
func checkDir(dir string) error {
	if dir == "" {
		return nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return &TemplateError{File: dir, Cause: "mail.templates can't be read: " + cause(err), Err: err}
	}
	for _, e := range entries {
		if name := e.Name(); strings.HasSuffix(name, ".tmpl") && !slices.Contains([]string{subjectName, textName, htmlName}, name) {
			return &TemplateError{File: filepath.Join(dir, name),
				Cause: fmt.Sprintf("not used by any mail: the names are %s, %s and %s", subjectName, textName, htmlName)}
		}
	}
	return nil
}

// source reads a template: the administrator's, or the embedded one where
// there is none.
func source(dir, name string) (src, file string, err error) {
	if dir != "" {
		file = filepath.Join(dir, name)
		b, err := os.ReadFile(file)
		if err == nil {
			return string(b), file, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", file, &TemplateError{File: file, Cause: cause(err), Err: err}
		}
	}
	b, err := templates.FS.ReadFile(name)
	if err != nil {
		return "", name, &TemplateError{File: name, Cause: cause(err), Err: err}
	}
	return string(b), name, nil
}

// cause is a file error without the path, which stands before it.
func cause(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}

// place finds name, line and column in the errors of both template packages:
// "template: text.tmpl:12:5: executing …", "html/template:html.tmpl:3: …".
var place = regexp.MustCompile(`(?s)^(?:html/)?template:\s*[^:]*:(\d+)(?::(\d+))?:\s*(.*)$`)

func templateError(file string, err error) *TemplateError {
	e := &TemplateError{File: file, Cause: err.Error(), Err: err}
	if m := place.FindStringSubmatch(err.Error()); m != nil {
		e.Line, _ = strconv.Atoi(m[1])
		e.Col, _ = strconv.Atoi(m[2])
		e.Cause = cmp.Or(m[3], e.Cause)
	}
	e.Cause = Explain(e.Cause, View{}, functionsOf(clock{}))
	return e
}
