package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"covebridge/bridge"
	"covebridge/bridge/config"
	"covebridge/bridge/ledger"
)

// app is what the verbs share: where to write, and the flags of all.
type app struct {
	out, errs   io.Writer
	configPath  string // as given by -c; empty: see config
	json        bool
	location    *time.Location           // mail.timezone; nil: not read yet
	log         *slog.Logger             // of the verb; nil: it has none
	progressing atomic.Pointer[progress] // what is shown at present; nil: nothing
}

func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "covebridge",
		Short: "Mails from Cove Data Protection for Backupchecks",
		Long: `covebridge polls Cove Data Protection, turns every finished backup run into one
mail, and puts it exactly once into the mailbox that Backupchecks reads.

Begin with "covebridge demo" to see it work, or "covebridge init" to set it up.

The configuration is the file that -c names, else $COVEBRIDGE_CONFIG, else
config.yaml in this folder, else /etc/covebridge/config.yaml. Times are shown and
read in its mail.timezone. Tables fit the terminal, or the width in COLUMNS; in a
pipe or a file only names beyond 40 letters are cut, and --json cuts nothing.
NO_COLOR=1 switches colours off.

Exit status: 0 done, 1 something failed, 2 wrong usage or configuration.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		Version:       version(),
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetVersionTemplate(versionLine())
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SuggestionsMinimumDistance = 2
	root.PersistentFlags().StringVarP(&a.configPath, "config", "c", "", "configuration `file`")
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w: see %q", plainFlag(err), c.CommandPath()+" --help")}
	})
	help := newHelp()
	for _, g := range []struct {
		title string
		verbs []*cobra.Command
	}{
		{"Try it:", []*cobra.Command{newDemo(a), newSim(a)}},
		{"Set it up:", []*cobra.Command{newInit(a), newCheck(a), newPreview(a), newTemplates(a), newParserRule(a)}},
		{"Let it work:", []*cobra.Command{newRun(a), newOnce(a), newBackfill(a)}},
		{"Look after it:", []*cobra.Command{newStatus(a), newHistory(a), newShow(a), newResend(a), newDevices(a), newLedger(a)}},
		{"More:", []*cobra.Command{newVersion(a), help}},
	} {
		root.AddGroup(&cobra.Group{ID: g.title, Title: g.title})
		for _, c := range g.verbs {
			c.GroupID = g.title
		}
		root.AddCommand(g.verbs...)
	}
	root.SetHelpCommand(help)
	cobra.EnableCommandSorting = false
	refuseExtra(root)
	return root
}

// refuseExtra makes wrong arguments and unknown verbs usage errors.
func refuseExtra(c *cobra.Command) {
	check := c.Args
	c.Args = func(c *cobra.Command, args []string) error {
		if check == nil {
			check = cobra.NoArgs
		}
		err := check(c, args)
		if err == nil {
			return nil
		}
		return wrongCall(c, args, err)
	}
	for _, sub := range c.Commands() {
		refuseExtra(sub)
	}
}

// wrongCall adds where to look, or the verb that was perhaps meant.
func wrongCall(c *cobra.Command, args []string, err error) error {
	if c.HasSubCommands() && len(args) > 0 {
		if like := c.SuggestionsFor(args[0]); len(like) > 0 {
			return usageError{fmt.Errorf("%w; did you mean %q?", err, c.CommandPath()+" "+like[0])}
		}
	}
	if !c.HasSubCommands() {
		err = fmt.Errorf("the call is %q, with no more and no fewer arguments", strings.TrimSuffix(c.UseLine(), " [flags]"))
	}
	return usageError{fmt.Errorf("%w: see %q", err, c.CommandPath()+" --help")}
}

// load reads the configuration and tells of its warnings.
func (a *app) load() (*config.Config, *slog.Logger, error) {
	c, err := a.settings(config.Load)
	if err != nil {
		return nil, nil, err
	}
	log := a.logger(c.Log)
	for _, w := range c.Warnings {
		log.Warn(w)
	}
	return c, log, nil
}

// holdLedger gives a bridge as configured that holds its ledger.
func (a *app) holdLedger(ctx context.Context) (*bridge.Bridge, error) {
	c, log, err := a.load()
	if err != nil {
		return nil, err
	}
	return a.begin(ctx, c, log)
}

// begin makes a bridge that holds its ledger.
func (a *app) begin(ctx context.Context, c *config.Config, log *slog.Logger) (*bridge.Bridge, error) {
	b, err := a.bridge(ctx, c, log)
	if err != nil {
		return nil, err
	}
	defer a.spinner("taking hold of the ledger")()
	if err := b.Ledger.Hold(ctx); err != nil {
		_ = b.Close() // nothing was done with it
		return nil, err
	}
	return b, nil
}

// open gives a bridge as configured.
func (a *app) open(ctx context.Context) (*bridge.Bridge, error) {
	c, log, err := a.load()
	if err != nil {
		return nil, err
	}
	return a.bridge(ctx, c, log)
}

func (a *app) bridge(ctx context.Context, c *config.Config, log *slog.Logger) (*bridge.Bridge, error) {
	defer a.spinner("opening the ledger")()
	b, err := bridge.Open(ctx, c, log)
	if err == nil {
		b.Version = version()
	}
	return b, err
}

// ledger opens the configured ledger to look into it, until it is told that this
// is done. Secrets are not needed for that, so that it works in any shell.
func (a *app) ledger(ctx context.Context) (l *ledger.Ledger, done func(), err error) {
	c, err := a.settings(config.Peek)
	if err != nil {
		return nil, nil, err
	}
	told := a.spinner("reading the ledger")
	l, err = ledger.Open(ctx, ledger.Options{SQLite: c.Ledger.SQLite, Postgres: string(c.Ledger.Postgres)})
	if err != nil {
		told()
		return nil, nil, err
	}
	return l, func() { told(); _ = l.Close() }, nil // nothing was written
}
