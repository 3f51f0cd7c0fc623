package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
)

// maxFile bounds the configuration and each file of a secret.
const maxFile = 1 << 20

// Env is what a configuration takes from outside of it.
type Env struct {
	// Lookup gives environment variables; nil: none is set.
	Lookup func(name string) (value string, ok bool)
	// Read gives a file's content and permissions; nil: no file exists.
	Read func(path string) ([]byte, fs.FileMode, error)
	// Dir is where relative paths start.
	Dir string
}

// Load reads and checks the configuration at path. What is wrong inside it
// comes back as *Error. Relative paths in it start at its folder; those of
// secret files are looked for in $CREDENTIALS_DIRECTORY first (systemd.exec,
// "Credentials").
func Load(path string) (*Config, error) { return load(path, false) }

func load(path string, without bool) (*Config, error) {
	data, mode, err := readFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read configuration: %w (covebridge init writes one, --config names another)", err)
	}
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	d := newDecoder(path, Env{Lookup: os.LookupEnv, Read: readFile, Dir: filepath.Dir(path)})
	d.without = without
	c, err := d.config(data)
	if err != nil {
		return nil, err
	}
	if d.plainSecret {
		d.warnOpen(path, mode, "holds secrets")
		c.Warnings = d.warnings
	}
	return c, nil
}

// Parse reads and checks a configuration. name stands for it in messages.
func Parse(name string, data []byte, env Env) (*Config, error) {
	return newDecoder(name, env).config(data)
}

// readFile reads a regular file, a pipe or a link to one.
func readFile(path string) ([]byte, fs.FileMode, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	if info.IsDir() {
		return nil, 0, &fs.PathError{Op: "read", Path: path, Err: errors.New("it is a folder, a file is expected")}
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = &fs.PathError{Op: "read", Path: path, Err: errors.New("it is longer than 1 MiB")}
	}
	return data, info.Mode(), err
}

// warnOpen warns of a file with secrets that others than its owner and group can
// read, or that its group can change. A group may read: so root keeps a file
// that the service can use but not alter.
func (d *decoder) warnOpen(path string, mode fs.FileMode, holds string) {
	if runtime.GOOS != "windows" && mode.IsRegular() && mode.Perm()&0o027 != 0 {
		d.warnings = append(d.warnings, fmt.Sprintf("%s %s and is open to others (mode %04o): chmod g-w,o= %[1]s", path, holds, mode.Perm()))
	}
}

// config decodes and checks.
func (d *decoder) config(data []byte) (*Config, error) {
	c := Default()
	if root := d.parse(data); root != nil {
		d.line[""] = root.Line
		d.decode(reflect.ValueOf(c).Elem(), root, "")
		d.check(c)
	}
	if len(d.problems) > 0 {
		sortProblems(d.problems)
		return nil, &Error{d.problems}
	}
	c.resolve(d.env.Dir)
	c.Warnings = d.warnings
	return c, nil
}
