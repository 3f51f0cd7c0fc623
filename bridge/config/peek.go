package config

import (
	"io/fs"
	"os"
	"path/filepath"
)

// unset stands for secrets that are not there.
const unset = "unset"

// Peek is Load for those who only look into the ledger: where a variable or
// the file of a secret is missing, the secret does not matter and is "unset".
func Peek(path string) (*Config, error) {
	data, _, err := readConfig(path)
	if err != nil {
		return nil, err
	}
	return Parse(path, data, Env{
		Lookup: func(name string) (string, bool) {
			if v, ok := os.LookupEnv(name); ok {
				return v, true
			}
			return unset, true
		},
		Read: func(path string) ([]byte, fs.FileMode, error) {
			if data, mode, err := readFile(path); err == nil {
				return data, mode, nil
			}
			return []byte(unset), 0o600, nil
		},
		Dir: filepath.Dir(path),
	})
}
