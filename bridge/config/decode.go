package config

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// decoder turns YAML nodes into a Config and collects what is wrong. It is
// led by the types of the fields, never by what the file claims to hold.
type decoder struct {
	file     string
	env      Env
	problems []Problem
	warnings []string
	// without: what is in the environment and in files of secrets may be
	// missing, but for what the ledger and the mails need.
	without bool
	// plainSecret: a secret stands in the file itself.
	plainSecret bool
	line        map[string]int    // where each key's value is, by path
	raw         map[string]string // each single value as written, by path: safe to show
	failed      map[string]bool   // the keys whose value could not be decoded, by path
}

func newDecoder(file string, env Env) *decoder {
	return &decoder{file: file, env: env, line: map[string]int{}, raw: map[string]string{}, failed: map[string]bool{}}
}

func (d *decoder) addProblem(line int, key, text string) {
	d.problems = append(d.problems, Problem{File: d.file, Line: line, Key: key, Text: text})
}

// undecodable tells of a value that can't be decoded. Nothing more is said of it.
func (d *decoder) undecodable(n *yaml.Node, path, text string) {
	d.addProblem(n.Line, path, text)
	d.failed[path] = true
}

// unavailable tells of a value that is to come from elsewhere and does not.
func (d *decoder) unavailable(n *yaml.Node, path, key string, err error) {
	d.failed[path] = true
	section, _, _ := strings.Cut(path, ".")
	if !d.without || section == "ledger" || section == "mail" {
		d.addProblem(n.Line, key, err.Error())
		if errors.Is(err, fs.ErrPermission) {
			d.problems[len(d.problems)-1].Err = err
		}
	}
}

var (
	durationType = reflect.TypeFor[time.Duration]()
	secretType   = reflect.TypeFor[Secret]()
)

// decode decodes a node. Null leaves the default.
func (d *decoder) decode(v reflect.Value, n *yaml.Node, path string) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	d.line[path] = n.Line
	if n.Style&yaml.TaggedStyle != 0 {
		d.undecodable(n, path, `a value that begins with "!" must be quoted`)
		return
	}
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		if n.Anchor != "" {
			d.undecodable(n, path, `a value that begins with "&" must be quoted`)
		}
		return
	}
	switch {
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		v.Interface().(defaulter).setDefaults()
		d.decode(v.Elem(), n, path)
	case v.Kind() == reflect.Struct:
		if d.expect(n, yaml.MappingNode, path, "keys are expected below it") {
			d.mapping(v, n, path)
		}
	case v.Kind() == reflect.Slice:
		if d.expect(n, yaml.SequenceNode, path, listWanted(v)) {
			d.list(v, n, path)
		}
	case v.Kind() == reflect.Map:
		if d.expect(n, yaml.MappingNode, path, "pairs such as {8: Warning} are expected") {
			d.pairs(v, n, path)
		}
	case d.expect(n, yaml.ScalarNode, path, "a single value is expected"):
		d.scalar(v, n, path)
	}
}

func (d *decoder) expect(n *yaml.Node, kind yaml.Kind, path, wanted string) bool {
	if n.Kind != kind {
		found := map[yaml.Kind]string{yaml.MappingNode: "keys", yaml.SequenceNode: "a list", yaml.ScalarNode: "a single value"}[n.Kind]
		d.undecodable(n, path, wanted+", not "+found)
	}
	return n.Kind == kind
}

func listWanted(v reflect.Value) string {
	if v.Type().Elem().Kind() == reflect.Struct {
		return `a list is expected, each entry beginning with "- "`
	}
	return "a list such as [one, two] is expected"
}

func (d *decoder) list(v reflect.Value, n *yaml.Node, path string) {
	v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	for i, item := range n.Content {
		if own, ok := v.Index(i).Addr().Interface().(defaulter); ok {
			own.setDefaults()
		}
		d.decode(v.Index(i), item, fmt.Sprintf("%s[%d]", path, i))
	}
}

func (d *decoder) pairs(v reflect.Value, n *yaml.Node, path string) {
	v.Set(reflect.MakeMap(v.Type()))
	for i := 0; i < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if !d.expect(key, yaml.ScalarNode, path, "a single value is expected as a key") || !d.isFirst(n, i, path) {
			continue
		}
		item := reflect.New(v.Type().Elem()).Elem()
		d.decode(item, value, path+"."+key.Value)
		v.SetMapIndex(reflect.ValueOf(key.Value), item)
	}
}

// mapping decodes the keys of a struct. Beside each secret, KEY_file may name
// the file that holds it.
func (d *decoder) mapping(v reflect.Value, n *yaml.Node, path string) {
	fields := map[string]reflect.Value{}
	var known []string
	for i := range v.NumField() {
		if key := v.Type().Field(i).Tag.Get("yaml"); key != "" && key != "-" {
			fields[key] = v.Field(i)
			known = append(known, key)
			if v.Field(i).Type() == secretType {
				known = append(known, key+"_file")
			}
		}
	}
	files := map[string]*yaml.Node{} // by the key of the secret
	for i := 0; i < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind != yaml.ScalarNode || !slices.Contains(known, key.Value) {
			d.unknown(key, path, known)
		} else if !d.isFirst(n, i, path) {
			continue
		} else if field, ok := fields[key.Value]; ok {
			d.decode(field, value, below(path, key.Value))
		} else {
			files[strings.TrimSuffix(key.Value, "_file")] = value
		}
	}
	for secret, value := range files {
		d.fromFile(fields[secret], value, below(path, secret))
	}
}

// fromFile fills a secret from the file that the node names.
func (d *decoder) fromFile(secret reflect.Value, n *yaml.Node, path string) {
	var file string
	d.decode(reflect.ValueOf(&file).Elem(), n, path+"_file")
	if file == "" {
		return
	}
	if secret.Len() > 0 {
		d.addProblem(n.Line, path+"_file", path+" is there too: keep one of the two")
		return
	}
	d.line[path] = n.Line
	text, err := d.secretFile(file)
	if err != nil {
		d.unavailable(n, path, path+"_file", err)
		return
	}
	secret.SetString(text)
}

func below(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// isFirst tells of a key that is written a second time.
func (d *decoder) isFirst(n *yaml.Node, at int, path string) bool {
	for i := 0; i < at; i += 2 {
		if n.Content[i].Value == n.Content[at].Value {
			d.addProblem(n.Content[at].Line, below(path, n.Content[at].Value), fmt.Sprintf("it is there twice, first on line %d", n.Content[i].Line))
			return false
		}
	}
	return true
}

// scalar decodes a single value by the type of its field.
func (d *decoder) scalar(v reflect.Value, n *yaml.Node, path string) {
	text, err := d.expand(n.Value)
	if err != nil {
		d.unavailable(n, path, path, err)
		return
	}
	if v.Type() != secretType {
		d.raw[path] = n.Value
	}
	wanted := ""
	switch {
	case v.Type() == secretType:
		d.plainSecret = d.plainSecret || text != "" && !strings.Contains(n.Value, "${")
		v.SetString(text)
	case v.Type() == durationType:
		duration, err := ParseDuration(text)
		if err != nil {
			wanted = err.Error()
		}
		v.SetInt(int64(duration))
	case v.Kind() == reflect.String:
		v.SetString(text)
	case v.Kind() == reflect.Bool:
		if text != "true" && text != "false" {
			wanted = "true or false is expected"
		}
		v.SetBool(text == "true")
	case v.Kind() == reflect.Int, v.Kind() == reflect.Int64:
		number, err := strconv.ParseInt(text, 10, v.Type().Bits())
		if err != nil {
			wanted = "a whole number is expected"
		}
		v.SetInt(number)
	case v.Kind() == reflect.Float64:
		number, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(number) || math.IsInf(number, 0) {
			wanted = "a number is expected"
		}
		v.SetFloat(number)
	}
	if wanted != "" {
		d.undecodable(n, path, wanted+", not "+d.asWritten(path))
	}
}

// asWritten gives a value for a message, as written: what a variable holds may be secret.
func (d *decoder) asWritten(path string) string {
	raw := []rune(d.raw[path])
	if len(raw) > 60 {
		raw = append(raw[:60], '…')
	}
	return strconv.Quote(string(raw))
}
