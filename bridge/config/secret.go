package config

import (
	"log/slog"
	"net/url"
	"regexp"
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

// MarshalText hides the secret, as the key of a map too.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// MarshalJSON hides the secret.
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + hidden + `"`), nil }

// MarshalYAML hides the secret.
func (Secret) MarshalYAML() (any, error) { return hidden, nil }

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
