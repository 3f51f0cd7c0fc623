package message

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"text/template"
	"time"
)

var (
	docTitle = regexp.MustCompile("^## (.*)$")
	docRow   = regexp.MustCompile("^\\| `(\\w+)` \\| .+ \\| `(.*)` \\| (.*)\\|$")
)

// docs/templates.md has every field and function that templates can use, and no
// other; and each of its examples gives what stands beside it.
func TestTemplatesDoc(t *testing.T) {
	c := clock{time.UTC}
	runs := samples()
	v, tested := c.view(clean(runs[0])), c.view(clean(runs[len(runs)-1]))
	sections := map[string]any{ // in whose place a table stands
		"Functions": nil, "The mail": v, "A line": v.Head[0], "A data source": v.Objects[0], "An error": v.Objects[0].Errors[0],
		"A last success": v.Good[0], "A day": v.Days[1], "Equal days": v.Bar[1], "The sums": v.Totals, "The run": v.Run,
		"The device": v.Run.Device, "Where the backups lie": v.Run.Device.Storage, "A session": v.Run.Sessions[0],
		"What a session is compared with": *v.Run.Sessions[0].Before, "An error as the product tells it": v.Run.Sessions[0].Errors[0],
		"A data source by its key": *v.Run.Source, "A last success as it was read": v.Run.Good[0],
		"A day as the product tells it": v.Run.Device.ColourBar[1], "What was recovered": *tested.Run.Recovered,
	}
	types := map[reflect.Type]bool{}
	structs(reflect.TypeFor[View](), types)

	b, err := os.ReadFile("../../docs/templates.md")
	if err != nil {
		t.Fatal(err)
	}
	title, told := "", map[string]map[string]bool{}
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSuffix(line, "\n")
		if m := docTitle.FindStringSubmatch(line); m != nil {
			title, _, _ = strings.Cut(m[1], ":")
			told[title] = map[string]bool{}
			if _, known := sections[title]; !known {
				t.Errorf("nothing belongs to %q", title)
			}
			continue
		}
		m := docRow.FindStringSubmatch(line)
		if m == nil {
			if strings.HasPrefix(line, "| `") {
				t.Errorf("no row of a table: %s", line)
			}
			continue
		}
		name, example, want := m[1], m[2], strings.Trim(m[3], " `")
		if told[title][name] {
			t.Errorf("%s: %s is told of twice", title, name)
		}
		told[title][name] = true
		if !regexp.MustCompile(`\b` + name + `\b`).MatchString(example) {
			t.Errorf("%s: %s does not stand in its example %s", title, name, example)
		}
		dot := sections[title]
		if title == "Functions" {
			dot = v
		}
		var got strings.Builder
		x, err := template.New("").Funcs(functionsOf(c)).Parse(example)
		if err == nil {
			err = x.Execute(&got, dot)
		}
		if err != nil || strings.TrimSpace(got.String()) != want {
			t.Errorf("%s: %s: %s gives\n%s, not\n%s (%v)", title, name, example, &got, want, err)
		}
	}
	for title, value := range sections {
		var want []string
		if value == nil {
			for name := range functionsOf(c) {
				want = append(want, name)
			}
		} else {
			want = fieldsOf(reflect.TypeOf(value), reflect.TypeOf(value).String())
			delete(types, reflect.TypeOf(value))
		}
		for _, name := range want {
			if !told[title][name] {
				t.Errorf("docs/templates.md: %q has no row for %s", title, name)
			}
			delete(told[title], name)
		}
		for name := range told[title] {
			if _, promoted := reflect.TypeFor[Day]().FieldByName(name); title != "A day" || !promoted {
				t.Errorf("docs/templates.md: there is no %s in %q", name, title)
			}
		}
	}
	for missing := range types {
		t.Errorf("docs/templates.md tells nothing of %s", missing)
	}
}

// structs collects all that templates can reach.
func structs(t reflect.Type, all map[reflect.Type]bool) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || all[t] || t == reflect.TypeFor[time.Time]() {
		return
	}
	all[t] = true
	for i := range t.NumField() {
		if f := t.Field(i); f.IsExported() {
			structs(f.Type, all)
		}
	}
}
