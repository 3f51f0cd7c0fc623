package bridge

import (
	"context"
	"errors"
	"fmt"

	"covebridge/bridge/mailbox"
)

// Check looks at everything that a bridge needs, and changes nothing: each
// account's login, the ledger, the mailbox. It tells of each thing as soon as
// it is known.
func (b *Bridge) Check(ctx context.Context, tell func(area string, f mailbox.Finding)) {
	counts, err := b.Ledger.Counts(ctx)
	total := 0
	for _, n := range counts {
		total += n
	}
	tell("ledger", mailbox.Finding{What: fmt.Sprintf("%s: %d runs", b.Ledger, total), Err: err})
	for _, src := range b.Sources {
		what, err := src.Check(ctx)
		if err != nil {
			what = "log in and read a device"
		}
		tell("cove "+src.Name(), mailbox.Finding{What: what, Err: err})
	}
	findings, err := b.Mailbox.Check(ctx)
	for _, f := range findings {
		tell("mailbox", f)
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		tell("mailbox", mailbox.Finding{What: "check the mailbox", Err: err})
	}
}
