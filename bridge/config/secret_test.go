package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

func TestSecretsDoNotShow(t *testing.T) {
	c := parse(t, strings.ReplaceAll(good, "password: p", "password: hunter2"), environment())
	var out bytes.Buffer
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		fmt.Fprintf(&out, format+"\n", c.Cove)
		fmt.Fprintf(&out, format+"\n", c.Cove[0].Password)
	}
	for _, marshal := range []func(any) ([]byte, error){json.Marshal, yaml.Marshal} {
		data, err := marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(data)
	}
	for _, handler := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(handler).Info("settings", "account", c.Cove[0], "password", c.Cove[0].Password)
	}
	if strings.Contains(out.String(), "hunter2") || strings.Contains(out.String(), fmt.Sprintf("%x", "hunter2")) {
		t.Errorf("a secret shows:\n%s", out.String())
	}
	if !strings.Contains(out.String(), hidden) {
		t.Errorf("nothing stands in its place:\n%s", out.String())
	}
}

// What messages may show of a configuration holds no secret.
func TestWhatIsShownHoldsNoSecrets(t *testing.T) {
	d := newDecoder("config.yaml", environment())
	if _, err := d.config([]byte(strings.ReplaceAll(good, "password: p", "password: hunter2"))); err != nil {
		t.Fatal(err)
	}
	if _, kept := d.raw["cove[0].username"]; !kept {
		t.Error("nothing is kept")
	}
	for path, text := range d.raw {
		if strings.Contains(text, "hunter2") {
			t.Errorf("%s is kept as %q", path, text)
		}
	}
}

func TestSecretsInsideConnectionStrings(t *testing.T) {
	for text, want := range map[string][]string{
		"postgres://u:hun%20ter@h/d":          {"postgres://u:hun%20ter@h/d", "hun ter"},
		"host=h password=hunter2 dbname=d":    {"host=h password=hunter2 dbname=d", "hunter2"},
		"password = 'hunter 2' host=h":        {"password = 'hunter 2' host=h", "hunter 2"},
		"postgres://u@h/d":                    {"postgres://u@h/d"},
		"plain":                               {"plain"},
		"host=h sslpassword=other user=admin": {"host=h sslpassword=other user=admin"},
	} {
		if got := Secret(text).parts(); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
