package deploy_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// The compose file must fit the image that it runs, and what it says of secrets
// must fit what it mounts.
func TestComposeFitsTheImage(t *testing.T) {
	image, err := os.ReadFile("../../../deploy/Containerfile")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../../../deploy/compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var compose struct {
		Services map[string]struct {
			Build    struct{ Context, Dockerfile string }
			ReadOnly bool `yaml:"read_only"`
			Tmpfs    []string
			Volumes  []string
			Secrets  []string
			Networks []string
		}
		Networks map[string]any
		Secrets  map[string]struct{ File string }
	}
	if err := yaml.Unmarshal(text, &compose); err != nil {
		t.Fatal(err)
	}
	service := compose.Services["covebridge"]
	if _, err := os.Stat("../../../deploy/" + service.Build.Context + "/" + service.Build.Dockerfile); err != nil {
		t.Errorf("what it builds: %v", err)
	}
	config := regexp.MustCompile(`COVEBRIDGE_CONFIG=(\S+)`).FindSubmatch(image)
	if config == nil || len(service.Volumes) != 1 || !strings.HasSuffix(service.Volumes[0], ":"+string(config[1])+":ro") {
		t.Errorf("the image reads %q, mounted is %q", config, service.Volumes)
	}
	if !service.ReadOnly || len(service.Tmpfs) == 0 {
		t.Error("the root of the file system is to be read-only, with a folder for what is temporary")
	}
	user := regexp.MustCompile(`(?m)^USER ([0-9]+):[0-9]+$`).FindSubmatch(image)
	if user == nil || string(user[1]) == "0" || !strings.Contains(string(text), "chown "+string(user[1])+" secrets/*") {
		t.Errorf("the image runs as %q; it is to be a number, not root's, to which the secrets are given", user)
	}
	if len(service.Secrets) == 0 {
		t.Error("no secrets")
	}
	for _, name := range service.Secrets {
		if compose.Secrets[name].File != "./secrets/"+name || !strings.Contains(string(text), "_file: "+name+"}") {
			t.Errorf("secret %s: %+v, and a key of config.yaml that names it", name, compose.Secrets[name])
		}
	}
	for _, name := range service.Networks {
		if compose.Networks[name] == nil {
			t.Errorf("network %s is not declared", name)
		}
	}
}
