//go:build assets

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra/doc"

	"covebridge"
)

// With the tag "assets" this is no covebridge but the program that writes what
// a package holds beside it: go run -tags assets ./cmd/covebridge FOLDER.
func init() {
	if err := writeAssets(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// writeAssets writes the manual pages, the completions of three shells and the
// configuration that a package begins with. SOURCE_DATE_EPOCH, in seconds since
// 1970, dates the pages.
func writeAssets(dir string) error {
	for _, sub := range []string{"man", "completions"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return err
		}
	}
	root := newRoot(&app{})
	root.DisableAutoGenTag = true
	about := &doc.GenManHeader{Section: "1", Source: "covebridge", Manual: "covebridge"}
	if err := doc.GenManTree(root, about, filepath.Join(dir, "man")); err != nil {
		return fmt.Errorf("write the manual pages: %w", err)
	}
	for name, write := range map[string]func(string) error{
		"covebridge":      func(path string) error { return root.GenBashCompletionFileV2(path, true) },
		"_covebridge":     root.GenZshCompletionFile,
		"covebridge.fish": func(path string) error { return root.GenFishCompletionFile(path, true) },
	} {
		if err := write(filepath.Join(dir, "completions", name)); err != nil {
			return fmt.Errorf("write the completions: %w", err)
		}
	}
	settings, err := packagedConfig()
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "config.yaml"), settings, 0o644)
}

// packagedConfig is the example with its secrets in files of their own and its
// ledger where the unit lets covebridge write.
func packagedConfig() ([]byte, error) {
	settings := covebridge.ExampleConfig
	for _, change := range [][2]string{
		{"\n    password: ${COVE_PASSWORD} ", "\n    #password: ${COVE_PASSWORD}"},
		{"\n    #password_file: cove-password", "\n    password_file: cove-password"},
		{"\n    password: ${IMAP_PASSWORD}", "\n    #password: ${IMAP_PASSWORD}"},
		{"\n    #password_file: imap-password", "\n    password_file: imap-password"},
		{"\n  sqlite: covebridge.db        #", "\n  sqlite: /var/lib/covebridge/covebridge.db   #"},
	} {
		if bytes.Count(settings, []byte(change[0])) != 1 {
			return nil, fmt.Errorf("config.example.yaml has no single %q: correct cmd/covebridge/assets.go", change[0])
		}
		settings = bytes.Replace(settings, []byte(change[0]), []byte(change[1]), 1)
	}
	return settings, nil
}
