// Command covebridge polls Cove Data Protection and puts one mail for every
// finished backup run into the mailbox that Backupchecks reads.
//
// Exit status: 0 done, 1 something failed, 2 wrong usage or configuration.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"text/template"

	"covebridge/bridge/ledger"
	"covebridge/bridge/message"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends it at once
	os.Exit(execute(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// execute runs one verb and gives the exit status.
func execute(ctx context.Context, args []string, out, errs io.Writer) int {
	a := &app{}
	a.out, a.errs = barWriter{a, out}, barWriter{a, errs}
	root := newRoot(a)
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(errs)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	if !errors.Is(err, errReported) {
		fmt.Fprintf(errs, "covebridge: error: %v\n", err)
		if next := permission(err); next != "" {
			fmt.Fprintf(errs, "→ %s\n", next)
		}
	}
	if misconfigured(err) {
		return 2
	}
	return 1
}

// errReported: something failed, and was told already.
var errReported = errors.New("failed")

// reportedError is an error that the verb has shown already.
type reportedError struct{ error }

func (e reportedError) Unwrap() []error { return []error{e.error, errReported} }

// usageError is a wrong call or a wrong configuration.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// misconfigured tells whether it is the call or the configuration that is wrong.
func misconfigured(err error) bool {
	var (
		usage   usageError
		mails   *message.TemplateError
		jobName template.ExecError
	)
	return errors.As(err, &usage) || errors.As(err, &mails) || errors.As(err, &jobName) ||
		errors.Is(err, os.ErrNotExist) || errors.Is(err, ledger.ErrHeld) || errors.Is(err, ledger.ErrNewer) || errors.Is(err, ledger.ErrForeign)
}
