package config

import (
	"fmt"
	"reflect"
	"strings"

	"gopkg.in/yaml.v3"
)

// unknown tells of a key that is not known, and which one may be meant.
func (d *decoder) unknown(key *yaml.Node, path string, known []string) {
	in := " in " + path
	if path == "" {
		in = " at the top"
	}
	if key.Tag == "!!merge" {
		d.addProblem(key.Line, "", "<< is not supported"+in+": write the keys out")
		return
	}
	nearest := nearest(key.Value, known)
	hint := ""
	if nearest != "" {
		hint = fmt.Sprintf("; did you mean %q?", nearest)
		d.failed[below(path, nearest)] = true // it is not missing as well
	}
	if home := homes[key.Value]; hint == "" && home != "" {
		hint = fmt.Sprintf("; it belongs under %s", home)
	}
	if hint == "" {
		hint = "; known are " + strings.Join(known, ", ")
	}
	d.addProblem(key.Line, "", fmt.Sprintf("unknown key %q%s%s", key.Value, in, hint))
}

// homes tells for each key that is in one place only, which place that is.
var homes = func() map[string]string {
	homes := map[string]string{}
	seen := map[string]int{}
	walk(reflect.TypeFor[Config](), "", func(path string, _ reflect.Type) {
		key := path[strings.LastIndex(path, ".")+1:]
		if seen[key]++; seen[key] > 1 || !strings.Contains(path, ".") {
			delete(homes, key)
			return
		}
		homes[key] = path[:strings.LastIndex(path, ".")]
	})
	return homes
}()

// walk calls visit with the path and type of every key, those of files of
// secrets left out. The entries of a list count as one: "cove[].name".
func walk(t reflect.Type, path string, visit func(path string, t reflect.Type)) {
	for i := range t.NumField() {
		field := t.Field(i)
		key := field.Tag.Get("yaml")
		if key == "" || key == "-" {
			continue
		}
		at, inner := below(path, key), field.Type
		visit(at, inner)
		if inner.Kind() == reflect.Slice {
			at += "[]"
		}
		if inner.Kind() == reflect.Slice || inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct {
			walk(inner, at, visit)
		}
	}
}
