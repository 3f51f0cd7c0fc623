package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"covebridge/bridge/collect"
	"covebridge/bridge/ledger"
)

func newLedger(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "ledger",
		Short: "Move the ledger to another database",
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(&cobra.Command{
		Use:   "copy FROM TO",
		Short: "Copy a ledger, from SQLite to PostgreSQL or back",
		Long: `Copy everything a ledger holds into an empty one. FROM and TO are paths of SQLite
files or postgres:// URLs. Stop covebridge first; afterwards set ledger.postgres
or ledger.sqlite to TO and start it again. Don't let one run on FROM any more:
each would send what waits.`,
		Example: `  covebridge ledger copy covebridge.db postgres://covebridge:SECRET@db.example/covebridge`,
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			o, err := place("FROM", args[0])
			if err != nil {
				return err
			}
			target, err := place("TO", args[1])
			if err != nil {
				return err
			}
			if o.SQLite != "" {
				if _, err := os.Stat(o.SQLite); err != nil {
					return fmt.Errorf("FROM: %w", err)
				}
			}
			opening := a.spinner("opening both ledgers")
			defer opening()
			from, err := ledger.Open(ctx, o)
			if err != nil {
				return err
			}
			defer from.Close()
			to, err := ledger.Open(ctx, target)
			if err != nil {
				return err
			}
			defer to.Close()
			opening()
			progress := a.progress("rows", "copying")
			copied, err := ledger.Copy(ctx, from, to, func(done, total int) {
				progress.update(collect.Progress{Done: int64(done), Total: int64(total)})
			})
			progress.end()
			if errors.Is(err, ledger.ErrItself) {
				return usageError{err}
			}
			if err != nil {
				return err
			}
			if !copied {
				fmt.Fprintf(a.out, "%s holds just what is in %s already: nothing was copied\n", to, from)
				return nil
			}
			fmt.Fprintf(a.out, "%s is copied to %s\n", from, to)
			return nil
		},
	})
	return c
}

// place reads where a ledger is. What is no place is not shown: there may be a
// password in it.
func place(name, s string) (ledger.Options, error) {
	switch {
	case strings.HasPrefix(s, "postgres://"), strings.HasPrefix(s, "postgresql://"):
		return ledger.Options{Postgres: s}, nil
	case s == "", strings.Contains(s, "://"):
		return ledger.Options{}, usageError{fmt.Errorf("%s: a file, or postgres://USER:PASSWORD@HOST/DATABASE, is expected", name)}
	}
	return ledger.Options{SQLite: s}, nil
}
