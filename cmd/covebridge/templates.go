package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"covebridge/templates"
)

func newTemplates(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "templates",
		Short: "Make templates of your own for the mails",
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(&cobra.Command{
		Use:   "export DIR",
		Short: "Write the built-in templates into a folder, to begin with",
		Long: `Write subject.tmpl, text.tmpl and html.tmpl into a folder, which is made if it is
missing. Files that are there already are never replaced. With mail.templates set
to the folder the mails are made by them; a file that you delete gives way to the
built-in one. docs/templates.md tells what they may use.`,
		Example: `  covebridge templates export templates
  covebridge preview --watch`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			dir := filepath.Clean(args[0])
			names, err := exportTemplates(dir)
			if err != nil {
				return err
			}
			fmt.Fprintf(a.out, "%s are in %s. Set mail.templates to it, then see what you make: %s\n", all(names), dir, a.call("preview --watch"))
			return nil
		},
	})
	return c
}

// exportTemplates writes the built-in templates into dir: all or, where one of
// them is there, none.
func exportTemplates(dir string) (names []string, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // as any folder; no secret is in them
		return nil, fmt.Errorf("make the folder for the templates: %w", err)
	}
	entries, err := fs.ReadDir(templates.FS, ".")
	if err != nil {
		return nil, err
	}
	var there []string
	for _, e := range entries {
		names = append(names, e.Name())
		if _, err := os.Lstat(filepath.Join(dir, e.Name())); err == nil {
			there = append(there, e.Name())
		}
	}
	if len(there) > 0 {
		return nil, usageError{fmt.Errorf("%s holds %s already, and nothing is replaced: name another folder, or move them away", dir, strings.Join(there, ", "))}
	}
	for _, name := range names {
		text, err := templates.FS.ReadFile(name)
		if err != nil {
			return nil, err
		}
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // the same
		if err != nil {
			return nil, fmt.Errorf("write a template: %w", err)
		}
		_, err = f.Write(text)
		if err = errors.Join(err, f.Close()); err != nil {
			return nil, fmt.Errorf("write a template: %w", err)
		}
	}
	return names, nil
}
