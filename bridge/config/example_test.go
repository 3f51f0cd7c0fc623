package config

import (
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"covebridge"
)

// alternative is a key that the example has commented out.
var alternative = regexp.MustCompile(`(?m)^(\s*)#(\w)`)

// full is the example with every key in use.
func full() []byte { return alternative.ReplaceAll(covebridge.ExampleConfig, []byte("$1$2")) }

// variables are the environment that the example asks for.
var variables = map[string]string{"COVE_PASSWORD": "cove-secret", "IMAP_PASSWORD": "imap-secret"}

func lookup(name string) (string, bool) { value, ok := variables[name]; return value, ok }

func TestExampleWorksAsItIs(t *testing.T) {
	c, err := Parse("config.example.yaml", covebridge.ExampleConfig, Env{Lookup: lookup})
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	account := Account{Name: "msp", Username: "api-user", Password: "cove-secret"}
	account.setDefaults()
	want.Cove = []Account{account}
	want.Mail.From, want.Mail.To = "cove@msp.example", []string{"backups@msp.example"}
	want.Delivery.IMAP = &IMAP{Address: "mail.example:993", Username: "backups@msp.example", Password: "imap-secret"}
	want.Delivery.IMAP.setDefaults()
	if diff := cmp.Diff(want, c, cmp.Comparer(secretsEqual), emptyIsNil); diff != "" {
		t.Errorf("the example differs from the defaults (-default +example):\n%s", diff)
	}
	if got := c.Secrets(); !slices.Equal(got, []string{"cove-secret", "imap-secret"}) {
		t.Errorf("secrets: %q", got)
	}
}

func secretsEqual(a, b Secret) bool { return string(a) == string(b) }

// emptyIsNil: [] and {} mean what a key left out means.
var emptyIsNil = cmp.FilterValues(func(a, b any) bool {
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	empty := func(v reflect.Value) bool {
		return v.IsValid() && (v.Kind() == reflect.Slice || v.Kind() == reflect.Map) && v.Len() == 0
	}
	return empty(x) && empty(y)
}, cmp.Ignore())

func TestExampleHasEveryKey(t *testing.T) {
	want := map[string]bool{}
	walk(reflect.TypeFor[Config](), "", func(path string, kind reflect.Type) {
		want[path] = true
		if kind == secretType {
			want[path+"_file"] = true
		}
	})
	var doc yaml.Node
	if err := yaml.Unmarshal(full(), &doc); err != nil {
		t.Fatalf("the example with its alternatives: %v", err)
	}
	got := map[string]bool{}
	collect(doc.Content[0], "", got)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got))); diff != "" {
		t.Errorf("keys (-code +example):\n%s", diff)
	}
}

func collect(n *yaml.Node, path string, into map[string]bool) {
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i < len(n.Content); i += 2 {
			at := below(path, n.Content[i].Value)
			into[at] = true
			collect(n.Content[i+1], at, into)
		}
	case yaml.SequenceNode:
		for _, item := range n.Content {
			collect(item, path+"[]", into)
		}
	}
}

// TestExampleAlternatives: what is commented out has the defaults as well,
// and each delivery works when it is the one in use.
func TestExampleAlternatives(t *testing.T) {
	variables := map[string]string{"COVE_PASSWORD": "a", "IMAP_PASSWORD": "b", "SMTP_PASSWORD": "c", "COVEBRIDGE_DATABASE": "postgres://u:d@h/db"}
	text := regexp.MustCompile(`(?m)^\s*\w+_file:.*\n`).ReplaceAllString(string(full()), "")
	text = strings.Replace(text, "  sqlite: covebridge.db", "  #", 1)
	c, err := Parse("config.yaml", []byte(text), Env{Lookup: func(name string) (string, bool) { v, ok := variables[name]; return v, ok }})
	if err != nil {
		t.Fatal(err)
	}
	want := &SMTP{Address: "mail.example:587", Username: "backups@msp.example", Password: "c"}
	want.setDefaults()
	if diff := cmp.Diff(want, c.Delivery.SMTP, cmp.Comparer(secretsEqual)); diff != "" {
		t.Errorf("smtp (-default +example):\n%s", diff)
	}
	if diff := cmp.Diff(OAuth2{}, c.Delivery.OAuth2, cmp.Comparer(secretsEqual), emptyIsNil); diff != "" {
		t.Errorf("oauth2 (-default +example):\n%s", diff)
	}
	if c.Ledger.SQLite != "" || string(c.Ledger.Postgres) != "postgres://u:d@h/db" {
		t.Errorf("ledger: %q, %q", c.Ledger.SQLite, string(c.Ledger.Postgres))
	}
	if got := c.Secrets(); !slices.Equal(got, []string{"a", "b", "c", "postgres://u:d@h/db", "d"}) {
		t.Errorf("secrets: %q", got)
	}
}
