package main

import "github.com/spf13/cobra"

// newHelp refuses verbs that there are not, which cobra's own help does not.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:     "help [verb]",
		Short:   "Tell what a verb does and takes",
		Example: `  covebridge help once`,
		Args:    cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			verb, rest, err := c.Root().Find(args)
			if err == nil {
				err = cobra.NoArgs(verb, rest)
			}
			if err != nil {
				return wrongCall(verb, rest, err)
			}
			verb.InitDefaultHelpFlag() // it is to be among the flags
			return verb.Help()
		},
	}
}
