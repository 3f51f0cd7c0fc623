package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"covebridge"
)

func newInit(a *app) *cobra.Command {
	var force bool
	c := &cobra.Command{
		Use:   "init",
		Short: "Write a commented config.yaml to begin with",
		RunE: func(*cobra.Command, []string) error {
			path := cmp.Or(a.configPath, os.Getenv("COVEBRIDGE_CONFIG"), hereConfig)
			flags := os.O_WRONLY | os.O_CREATE | os.O_EXCL
			if force {
				flags = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
			}
			f, err := os.OpenFile(path, flags, 0o600) // it will hold secrets
			if errors.Is(err, fs.ErrExist) {
				return usageError{fmt.Errorf("%s is there already: --force replaces it, -c names another", path)}
			}
			if err != nil {
				return fmt.Errorf("write the configuration: %w", err)
			}
			_, err = f.Write(covebridge.ExampleConfig)
			if err = errors.Join(err, f.Close()); err != nil {
				return fmt.Errorf("write the configuration: %w", err)
			}
			fmt.Fprintf(a.out, "%s is written. Fill in the login and the mailbox, then: %s\n", path, a.call("check"))
			return nil
		},
	}
	c.Flags().BoolVar(&force, "force", false, "replace a file that is there")
	return c
}
