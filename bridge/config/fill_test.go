package config

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"covebridge"
)

// changed are the lines of b that are not in a, and those of a that are not in b.
func changed(a, b string) string {
	var out strings.Builder
	old, now := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range max(len(old), len(now)) {
		if i < len(old) && i < len(now) && old[i] != now[i] {
			out.WriteString("-" + old[i] + "\n+" + now[i] + "\n")
		}
	}
	return out.String()
}

func TestFill(t *testing.T) {
	for _, test := range []struct {
		name   string
		values map[string]any
		want   string // of changed
	}{
		{"nothing", nil, ""},
		{"a value, and its comment stays where it is", map[string]any{"cove[0].username": "me"}, `
-    username: api-user            # the API user's name
+    username: me                  # the API user's name
`},
		{"a long value", map[string]any{"cove[0].username": "somebody-with-a-long-name"}, `
-    username: api-user            # the API user's name
+    username: somebody-with-a-long-name  # the API user's name
`},
		{"the first key of an entry", map[string]any{"cove[0].name": "acme"}, `
-  - name: msp                     # short name for logs and tables; each login needs its own
+  - name: acme                    # short name for logs and tables; each login needs its own
`},
		{"a list", map[string]any{"mail.to": []string{"a@b.example", "c d"}}, `
-  to: [backups@msp.example]
+  to: [a@b.example, c d]
`},
		{"texts that YAML and variables would read otherwise", map[string]any{"cove[0].password": `a # b: ${HOME} "'`, "mail.from": "null"}, `
-    password: ${COVE_PASSWORD}    # the API user's token
+    password: 'a # b: $${HOME} "'''  # the API user's token
-  from: cove@msp.example
+  from: "null"
`},
		{"a file in a secret's stead", map[string]any{"cove[0].password": nil, "cove[0].password_file": "token"}, `
-    password: ${COVE_PASSWORD}    # the API user's token
+    #password: ${COVE_PASSWORD}   # the API user's token
-    #password_file: cove-password
+    password_file: token
`},
		{"an alternative, with the section that it is in", map[string]any{"delivery.oauth2.tenant": "msp.example"}, `
-  #oauth2:
+  oauth2:
-    #tenant: ""                       # directory (tenant) id, from Entra ID
+    tenant: msp.example               # directory (tenant) id, from Entra ID
`},
	} {
		got, err := Fill(covebridge.ExampleConfig, test.values)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		if diff := cmp.Diff(strings.TrimPrefix(test.want, "\n"), changed(string(covebridge.ExampleConfig), string(got))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

// TestFillSection: a section that is commented out is none.
func TestFillSection(t *testing.T) {
	text, err := Fill(covebridge.ExampleConfig, map[string]any{"delivery.imap": nil, "delivery.smtp.address": "mail.msp.example:587", "cove[0].password": "a"})
	if err != nil {
		t.Fatal(err)
	}
	c, err := Parse("config.yaml", text, Env{})
	if err != nil {
		t.Fatal(err)
	}
	if c.Delivery.IMAP != nil || c.Delivery.SMTP == nil || c.Delivery.SMTP.Address != "mail.msp.example:587" || c.Delivery.SMTP.Username != "" {
		t.Errorf("%+v", c.Delivery)
	}
	if got := strings.Count(string(text), "\n"); got != strings.Count(string(covebridge.ExampleConfig), "\n") {
		t.Errorf("%d lines", got)
	}
}

func TestFillUnknown(t *testing.T) {
	if _, err := Fill(covebridge.ExampleConfig, map[string]any{"cove[1].username": "b"}); err == nil || !strings.Contains(err.Error(), "cove[1].username") {
		t.Errorf("a second account: %v", err)
	}
	if _, err := Fill(covebridge.ExampleConfig, map[string]any{"cove[0].username": 1}); err == nil {
		t.Error("a number is filled in")
	}
}

// FuzzFill: whatever a person types comes out of the file as it was typed.
func FuzzFill(f *testing.F) {
	for _, text := range []string{"plain", "", "- a", "a: b", "a #b", "#b", "$", "${A}", "$$", `"`, `'`, "\\", "*a", "&a", "!a", "|", ">", "%a", "@a", "`a", "~", "null", "1e3", "é", "[a", "{a", "a, b]", "a\u2028b"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) || strings.IndexFunc(text, unicode.IsControl) >= 0 {
			t.Skip("no terminal gives that")
		}
		filled, err := Fill(covebridge.ExampleConfig, map[string]any{"cove[0].password": text, "delivery.imap.password": "b", "filter.types": []string{}, "mail.templates": text})
		if err != nil {
			t.Fatal(err)
		}
		c, err := Parse("config.yaml", filled, Env{})
		if text == "" {
			return // it is told to be missing
		}
		if err != nil {
			t.Fatal(err)
		}
		if string(c.Cove[0].Password) != text {
			t.Errorf("%q became %q", text, string(c.Cove[0].Password))
		}
	})
}
