package config

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

var update = flag.Bool("update", false, "write docs/configuration.md anew")

const referenceFile = "../../docs/configuration.md"

// The reference is made of the types and defaults in this package and of the
// comments of config.example.yaml: go test ./bridge/config -update writes it.
func TestReferenceIsCurrent(t *testing.T) {
	want := reference(t)
	if *update {
		if err := os.WriteFile(referenceFile, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(referenceFile)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("docs/configuration.md is not current: go test ./bridge/config -run Reference -update")
	}
	for _, line := range []string{
		"| `poll.interval` | duration | `15m` |",
		"| `cove[].password` | secret | none |",
		"| `cove[].password_file` | path |  |",
		"| `delivery.smtp.tls` | text | `starttls` |",
		"| `silence.exclude.devices` | list | `[]` |",
	} {
		if !strings.Contains(want, line) {
			t.Errorf("it lacks %q", line)
		}
	}
}

func reference(t *testing.T) string {
	t.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal(full(), &doc); err != nil {
		t.Fatal(err)
	}
	b := &strings.Builder{}
	b.WriteString("<!-- Made by go test ./bridge/config -run Reference -update of the code and config.example.yaml: don't edit. -->\n\n# Configuration\n\n")
	b.WriteString("Every key of `config.yaml`, what it takes, and what it is where it is left out. [config.example.yaml](../config.example.yaml)\n" +
		"has them all in place. `none`: there is no default, and what the example has is an example. `[]` in a key: an entry of a list.\n")
	root, settings := doc.Content[0], reflect.ValueOf(Default()).Elem()
	for i := 0; i < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		head := key.HeadComment
		if i == 0 { // the head of the whole file stands before
			whole, own, _ := strings.Cut(doc.HeadComment+"\n\n"+head, "covebridge check\n")
			_, whole, _ = strings.Cut(whole, "covebridge configuration.\n")
			fmt.Fprintf(b, "\n%s\n", plain(whole+"covebridge check"))
			head = own
		}
		fmt.Fprintf(b, "\n## %s\n\n", key.Value)
		if text := plain(head); text != "" {
			fmt.Fprintf(b, "%s\n\n", text)
		}
		b.WriteString("| key | takes | default | |\n| --- | --- | --- | --- |\n")
		field := fieldOf(settings, key.Value)
		describe(b, key.Value, field, key, value)
	}
	return b.String()
}

// describe writes the rows of a key and of those below it. v holds the default.
func describe(b *strings.Builder, path string, v reflect.Value, key, n *yaml.Node) {
	if v.IsValid() && v.Kind() == reflect.Pointer {
		v = reflect.New(v.Type().Elem()).Elem()
		v.Addr().Interface().(defaulter).setDefaults()
	}
	if n.Kind == yaml.SequenceNode && len(n.Content) > 0 && n.Content[0].Kind == yaml.MappingNode {
		path, n = path+"[]", n.Content[0]
		v = reflect.New(v.Type().Elem()).Elem()
		v.Addr().Interface().(defaulter).setDefaults()
	}
	if v.IsValid() && v.Kind() == reflect.Struct {
		if text := plain(cmp.Or(n.LineComment, key.LineComment)); text != "" {
			fmt.Fprintf(b, "| `%s` | keys | | %s |\n", path, text)
		} else if text := plain(key.HeadComment); text != "" && strings.Contains(path, ".") {
			fmt.Fprintf(b, "| `%s` | keys | | %s |\n", path, text)
		}
		for i := 0; i < len(n.Content); i += 2 {
			name := n.Content[i].Value
			describe(b, path+"."+name, fieldOf(v, name), n.Content[i], n.Content[i+1])
		}
		return
	}
	takes, def := "path", "" // KEY_file beside a secret
	if v.IsValid() {
		takes = takesOf(v)
		def = defaultOf(v, n)
	}
	note := cmp.Or(n.LineComment, key.LineComment)
	if note == "" && strings.Contains(path, ".") {
		note = key.HeadComment
	}
	fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", path, takes, def, strings.ReplaceAll(plain(note), "|", "\\|"))
}

// fieldOf is the field of a key; not valid where there is none.
func fieldOf(v reflect.Value, key string) reflect.Value {
	for i := range v.NumField() {
		if v.Type().Field(i).Tag.Get("yaml") == key {
			return v.Field(i)
		}
	}
	return reflect.Value{}
}

func takesOf(v reflect.Value) string {
	switch {
	case v.Type() == secretType:
		return "secret"
	case v.Type() == durationType:
		return "duration"
	case v.Kind() == reflect.Slice:
		return "list"
	case v.Kind() == reflect.Map:
		return "pairs"
	case v.Kind() == reflect.Bool:
		return "true or false"
	case v.Kind() == reflect.String:
		return "text"
	default:
		return "number"
	}
}

// defaultOf is the default as the example writes it; where the example shows
// something else, there is none.
func defaultOf(v reflect.Value, n *yaml.Node) string {
	if v.IsZero() && n.Value != "" && n.Value != "0" && n.Value != "false" || n.Kind == yaml.SequenceNode && len(n.Content) > 0 {
		return "none"
	}
	switch {
	case n.Kind == yaml.SequenceNode:
		return "`[]`"
	case n.Kind == yaml.MappingNode:
		return "`{}`"
	case n.Value == "":
		return "`\"\"`"
	default:
		return "`" + n.Value + "`"
	}
}

// plain is a comment without its signs: paragraphs stay, lines are joined.
func plain(comment string) string {
	var paragraphs []string
	var lines []string
	end := func() {
		if len(lines) > 0 {
			paragraphs = append(paragraphs, strings.Join(lines, " "))
			lines = nil
		}
	}
	for line := range strings.Lines(comment) {
		line = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), "#"))
		if line == "" {
			end()
			continue
		}
		lines = append(lines, line)
	}
	end()
	return strings.Join(paragraphs, "\n\n")
}
