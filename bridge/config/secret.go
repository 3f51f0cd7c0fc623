package config

import (
	"log/slog"
	"net/url"
	"reflect"
	"regexp"
	"slices"
)

// Secret is a text that shows itself as *** wherever it is printed, logged or
// marshalled. string(s) gives it away.
type Secret string

const hidden = "***"

// String hides the secret.
func (Secret) String() string { return hidden }

// GoString hides the secret.
func (Secret) GoString() string { return hidden }

// LogValue hides the secret.
func (Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText hides the secret, in JSON and YAML too.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// dsnPassword is the password in a connection string of words
// (libpq, section 34.1.1.1 "Keyword/Value Connection Strings").
var dsnPassword = regexp.MustCompile(`(?:^|\s)password\s*=\s*(?:'((?:[^'\\]|\\.)*)'|(\S+))`)

// parts gives the secret, and the password in it if it is a connection string.
func (s Secret) parts() []string {
	parts := []string{string(s)}
	if u, err := url.Parse(string(s)); err == nil && u.User != nil {
		if password, ok := u.User.Password(); ok && password != "" {
			parts = append(parts, password)
		}
	}
	if m := dsnPassword.FindStringSubmatch(string(s)); m != nil && m[1]+m[2] != "" {
		parts = append(parts, m[1]+m[2])
	}
	return parts
}

// Secrets gives every secret that the configuration holds, so that output can
// be searched for them or cleaned of them.
func (c *Config) Secrets() []string {
	var all []string
	gather(reflect.ValueOf(c).Elem(), &all)
	return all
}

func gather(v reflect.Value, all *[]string) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			gather(v.Elem(), all)
		}
	case reflect.Slice:
		for i := range v.Len() {
			gather(v.Index(i), all)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			gather(v.Field(i), all)
		}
	case reflect.String:
		if v.Type() != secretType || v.Len() == 0 {
			return
		}
		for _, part := range Secret(v.String()).parts() {
			if !slices.Contains(*all, part) {
				*all = append(*all, part)
			}
		}
	}
}
