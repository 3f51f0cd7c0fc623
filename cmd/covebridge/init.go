package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"covebridge"
	"covebridge/bridge/config"
)

// shippedConfig is what a package begins with at systemConfig.
const shippedConfig = "/usr/share/covebridge/config.yaml"

func newInit(a *app) *cobra.Command {
	var force, silent bool
	c := &cobra.Command{
		Use:   "init",
		Short: "Write a commented config.yaml to begin with",
		Long: `Write a configuration in which every key is explained, for its owner alone to read.

On a terminal it asks for the Cove login, the mails' addresses and the mailbox,
tries each login as it goes, and checks everything at the end. Until the last
question is answered nothing is written. Elsewhere, or with --non-interactive, it
writes the example, to be filled in by hand.

A file that is there is replaced only if that is wanted; it keeps its owner.`,
		Example: `  covebridge init
  covebridge init -c /etc/covebridge/config.yaml`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			path := cmp.Or(a.configPath, os.Getenv("COVEBRIDGE_CONFIG"), hereConfig)
			form := example(path)
			if silent || !isTerminal(os.Stdin) || !isTerminal(a.out) {
				if err := writeConfig(path, form, force); err != nil {
					return err
				}
				fmt.Fprintf(a.out, "%s is written. Fill in the login and the mailbox, then: %s\n", path, a.call("check"))
				return nil
			}
			return a.interview(cmd.Context(), path, form, force)
		},
	}
	c.Flags().BoolVar(&force, "force", false, "replace a file that is there")
	c.Flags().BoolVar(&silent, "non-interactive", false, "ask nothing, write the example")
	return c
}

// example is the configuration to fill in: where a package has brought one for
// this place, that one.
func example(path string) []byte {
	if path == systemConfig {
		if shipped, err := os.ReadFile(shippedConfig); err == nil {
			return shipped
		}
	}
	return covebridge.ExampleConfig
}

// writeConfig writes a configuration. One that is replaced keeps its owner and
// whom of its group it lets read.
func writeConfig(path string, text []byte, replace bool) error {
	flags := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if replace {
		flags = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	f, err := os.OpenFile(path, flags, 0o600) // it will hold secrets
	if errors.Is(err, fs.ErrExist) {
		return usageError{fmt.Errorf("%s is there already: --force replaces it, -c names another", path)}
	}
	if err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	info, err := f.Stat()
	if err == nil && info.Mode().Perm()&^0o640 != 0 {
		err = f.Chmod(info.Mode().Perm() & 0o640)
	}
	if err == nil {
		_, err = f.Write(text)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	return nil
}

// interview asks for what the configuration needs, writes it and checks it.
func (a *app) interview(ctx context.Context, path string, form []byte, replace bool) error {
	i := &interview{questions: newTerminal(ctx, a.out), form: form, report: newCheckReport(a, &config.Config{})}
	old, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist), replace:
	case err != nil:
		return fmt.Errorf("look at the configuration: %w", err)
	case bytes.Equal(old, form): // as it came, nothing is lost
		replace = true
	default:
		if replace = i.confirm(path+" is there already. Replace it?", false); i.err != nil {
			return notWritten(i.err)
		}
		if !replace {
			return usageError{fmt.Errorf("%s is left as it is: %s tries it, -c names another", path, a.call("check"))}
		}
	}
	fmt.Fprintf(a.out, "Enter takes what stands in [brackets]. Ctrl-C ends this, and nothing is written.\n")
	text, err := i.run(ctx)
	if err != nil {
		return notWritten(err)
	}
	if err := writeConfig(path, text, replace); err != nil {
		return err
	}
	fmt.Fprintf(a.out, "\n%s is written; what else can be set is explained in it. Checked as it will run:\n\n", path)
	a.configPath = path
	return a.checkAsOwner(ctx)
}

// notWritten tells how an interview ended early.
func notWritten(err error) error {
	if errors.Is(err, errBrokenOff) {
		return errors.New("broken off, nothing is written")
	}
	return fmt.Errorf("nothing is written: %w", err)
}

// checkAsOwner checks the configuration as the user whose the ledger's folder is:
// root sets up what another user runs, and leaves no file that it can't use.
func (a *app) checkAsOwner(ctx context.Context) error {
	c, err := a.settings(config.Load)
	if err != nil {
		return err
	}
	path, err := filepath.Abs(a.configPath)
	if err != nil {
		return fmt.Errorf("find the configuration: %w", err)
	}
	cmd := asOwner(ctx, filepath.Dir(c.Ledger.SQLite), "check", "-c", path)
	if cmd == nil {
		return a.check(ctx, c)
	}
	cmd.Stdout, cmd.Stderr = a.out, a.errs
	if err := cmd.Run(); err != nil {
		return reportedError{fmt.Errorf("check the configuration: %w", err)}
	}
	return nil
}
