package message

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"
)

// What the template packages say, and what Explain makes of it.
var (
	executing = regexp.MustCompile(`(?s)^executing "[^"]*" at <(.*?)>: (.*)$`)
	noField   = regexp.MustCompile(`^can't evaluate field (\S+) in type (\S+)$`)
	noFunc    = regexp.MustCompile(`^function "([^"]*)" not defined$`)
	noPart    = regexp.MustCompile(`^template ("[^"]*") not defined$`)
	nilField  = regexp.MustCompile(`^nil (?:pointer evaluating|data; no entry)`)
	wrongArgs = regexp.MustCompile(`^wrong number of args for ([^:]+): want (?:at least )?(\d+) got (\d+)$`)
	wrongType = regexp.MustCompile(`^(?:expected \S+; found|wrong type for value; expected|error calling|can't (?:slice|index|iterate|range|give argument)|range can't iterate|incompatible types)`)
	noValue   = regexp.MustCompile(`^missing value for (\S+)$`)
	openEnd   = regexp.MustCompile(`^(?:unexpected EOF|unclosed action|unclosed comment|unclosed left paren|unterminated .*)`)
	strayEnd  = regexp.MustCompile(`^unexpected \{\{(end|else)`)
	variable  = regexp.MustCompile(`^undefined variable "([^"]*)"$`)
	openHTML  = regexp.MustCompile(`ends in a non-text context`)
	token     = regexp.MustCompile(`^(?:unexpected|bad character) (.*)$`)
)

// builtin are text/template's own functions.
var builtin = []string{"and", "eq", "ge", "gt", "html", "index", "le", "len", "lt", "ne", "not", "or", "print", "printf", "println", "slice", "urlquery", "js", "call"}

// Explain says in plain words what a template package said of a template that
// was given data: without the place, which stands before it. funcs are the
// functions beside the packages' own.
func Explain(said string, data any, funcs map[string]any) string {
	at := ""
	if m := executing.FindStringSubmatch(said); m != nil {
		at, said = "{{"+strings.Trim(m[1], "{}")+"}}: ", m[2]
	}
	plain := said
	if m := noField.FindStringSubmatch(said); m != nil {
		plain = fmt.Sprintf("there is no .%s", m[1])
		if fields := fieldsOf(reflect.TypeOf(data), m[2]); fields != nil {
			plain += "; there are ." + strings.Join(fields, ", .")
		} else {
			plain += ": a list has to be walked through with {{range}}, and a text or number has no parts"
		}
	} else if m := noFunc.FindStringSubmatch(said); m != nil {
		plain = fmt.Sprintf("there is no function %s; there are %s", m[1], strings.Join(functions(funcs), ", "))
	} else if m := noPart.FindStringSubmatch(said); m != nil {
		plain = fmt.Sprintf("there is no template %s: {{define %[1]s}} has to be in the same file", m[1])
	} else if nilField.MatchString(said) {
		plain = "not every run has it: put {{with}} or {{if}} around it"
	} else if m := wrongArgs.FindStringSubmatch(said); m != nil {
		plain = fmt.Sprintf("the number of values after %s is %s, %s is expected", m[1], m[3], m[2])
	} else if wrongType.MatchString(said) {
		plain = "this value does not fit here: " + goWords.Replace(said)
	} else if m := noValue.FindStringSubmatch(said); m != nil {
		plain = fmt.Sprintf("a value is missing after %s, as in {{if .Remarks}} and {{range .Objects}}", m[1])
	} else if openEnd.MatchString(said) {
		plain = "something is opened and not closed: each {{ needs }}, each if, range and with an {{end}}, each quote another"
	} else if m := strayEnd.FindStringSubmatch(said); m != nil {
		plain = fmt.Sprintf("there is no if, range or with that this {{%s}} belongs to", m[1])
	} else if m := variable.FindStringSubmatch(said); m != nil {
		plain = fmt.Sprintf("nothing is called %s here: {{%[1]s := …}} has to come first", m[1])
	} else if openHTML.MatchString(said) {
		plain = "a tag, an attribute or a comment of the HTML is opened and not closed"
	} else if m := token.FindStringSubmatch(said); m != nil {
		plain = fmt.Sprintf("%s is not expected here", m[1])
	}
	return at + plain
}

// goWords turns Go's names of types into plain ones.
var goWords = strings.NewReplacer("wrong type for value; expected ", "expected is ", "time.Time", "a time", "time.Duration", "a duration",
	"integer", "a number", "int64", "a number", "int", "a number", "string", "a text", "backup.", "", "message.", "")

// functions lists all that a template may call.
func functions(own map[string]any) []string {
	names := slices.Clone(builtin)
	for name := range own {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// fieldsOf lists what the type of this name has, where data holds one; nil:
// nothing of that name has fields.
func fieldsOf(data reflect.Type, name string) []string {
	t := find(data, strings.TrimPrefix(name, "*"), map[reflect.Type]bool{})
	if t == nil {
		return nil
	}
	var fields []string
	for i := range t.NumField() {
		if f := t.Field(i); f.IsExported() {
			fields = append(fields, f.Name)
		}
	}
	for i := range t.NumMethod() {
		if m := t.Method(i); m.Type.NumIn() == 1 && m.Type.NumOut() == 1 {
			fields = append(fields, m.Name)
		}
	}
	return fields
}

// find gives the struct of this name among all that is in a type.
func find(t reflect.Type, name string, seen map[reflect.Type]bool) reflect.Type {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || seen[t] || t == reflect.TypeFor[time.Time]() {
		return nil
	}
	if seen[t] = true; t.String() == name {
		return t
	}
	for i := range t.NumField() {
		if found := find(t.Field(i).Type, name, seen); found != nil {
			return found
		}
	}
	return nil
}
