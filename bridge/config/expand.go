package config

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
)

// variable is a reference, an escaped dollar, or the beginning of a broken reference.
var variable = regexp.MustCompile(`\$\$|\$\{[^{}]*\}|\$\{`)

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// expand puts in the environment's variables. It works on single values after
// the YAML was read, so what is in a variable can't become YAML.
func (d *decoder) expand(text string) (string, error) {
	var failed error
	out := variable.ReplaceAllStringFunc(text, func(ref string) string {
		if ref == "$$" {
			return "$"
		}
		name := strings.TrimSuffix(strings.TrimPrefix(ref, "${"), "}")
		if !variableName.MatchString(name) {
			failed = errors.New("${ begins a variable such as ${COVE_PASSWORD}; write $${ for the signs themselves")
			return ""
		}
		value, ok := d.lookup(name)
		if !ok && failed == nil {
			failed = fmt.Errorf("environment variable %s is not set", name)
		}
		return value
	})
	if failed != nil {
		return "", failed
	}
	return out, nil
}

func (d *decoder) lookup(name string) (string, bool) {
	if d.env.Lookup == nil {
		return "", false
	}
	return d.env.Lookup(name)
}

// secretFile reads a secret from its file: systemd's credentials first, then
// the configuration's folder. The line's end is no part of it.
func (d *decoder) secretFile(path string) (string, error) {
	candidates := []string{path}
	if !filepath.IsAbs(path) {
		candidates = nil
		if dir, ok := d.lookup("CREDENTIALS_DIRECTORY"); ok && dir != "" {
			candidates = append(candidates, filepath.Join(dir, path))
		}
		candidates = append(candidates, filepath.Join(d.env.Dir, path))
	}
	if d.env.Read == nil {
		return "", fmt.Errorf("%s: %w", strings.Join(candidates, ", "), fs.ErrNotExist)
	}
	for _, candidate := range candidates {
		data, mode, err := d.env.Read(candidate)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", err
		}
		secret := strings.TrimRight(string(data), "\r\n")
		if secret == "" {
			return "", fmt.Errorf("%s is empty: write the secret into it", candidate)
		}
		d.warnOpen(candidate, mode, "holds a secret")
		return secret, nil
	}
	return "", fmt.Errorf("there is no file %s", strings.Join(candidates, ", nor "))
}
