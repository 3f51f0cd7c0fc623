package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"covebridge/bridge/config"
)

// The places of the configuration where none is named.
const (
	hereConfig   = "config.yaml"
	systemConfig = "/etc/covebridge/config.yaml"
)

// config is the path of the configuration, and whether it was named by -c or
// $COVEBRIDGE_CONFIG.
func (a *app) config() (path string, named bool) {
	if path = cmp.Or(a.configPath, os.Getenv("COVEBRIDGE_CONFIG")); path != "" {
		return path, true
	}
	// A folder that may not be looked into, as root's, holds none for us.
	if _, err := os.Stat(hereConfig); err == nil {
		return hereConfig, false
	}
	if _, err := os.Stat(systemConfig); !errors.Is(err, fs.ErrNotExist) {
		return systemConfig, false
	}
	return hereConfig, false
}

// settings reads the configuration, with config.Load or config.Peek.
func (a *app) settings(read func(path string) (*config.Config, error)) (*config.Config, error) {
	path, named := a.config()
	c, err := read(path)
	if errors.Is(err, fs.ErrNotExist) && !named {
		return nil, usageError{fmt.Errorf("there is no %s here and no %s: covebridge init writes one, -c or $COVEBRIDGE_CONFIG names another", hereConfig, systemConfig)}
	}
	if err != nil {
		return nil, usageError{err}
	}
	a.location = c.Mail.Location()
	return c, nil
}

// call is a call of the verb, for a message, with the same configuration.
func (a *app) call(verb string) string {
	if a.configPath != "" {
		return "covebridge " + verb + " -c " + a.configPath
	}
	return "covebridge " + verb
}
