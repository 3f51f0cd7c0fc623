package mailbox

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/emersion/go-imap/v2"
)

// Check connects, logs in and looks at the folders, without putting anything
// in. It tells of each thing as soon as it is known.
func (m *IMAP) Check(ctx context.Context, report func(Finding)) {
	var c *imapConn
	err := bounded(ctx, func(ctx context.Context) (err error) {
		c, err = m.dial(ctx)
		return err
	})
	if err != nil {
		report(toFinding("imap "+m.o.Address+": connect and log in", m.fail(err)))
		return
	}
	defer c.close()
	report(Finding{What: fmt.Sprintf("imap %s: logged in as %s, %s", m.o.Address, m.o.Username, m.endpoint.describe())})

	// After a login the client may still hold the capabilities from before.
	var caps imap.CapSet
	err = c.withTimeout(ctx, CheckTime, func() (err error) {
		caps, err = c.Capability().Wait()
		return err
	})
	if err != nil {
		report(toFinding("capabilities", m.fail(&stepError{"ask for capabilities", err})))
		return
	}
	m.checkTarget(ctx, c, caps.Has(imap.CapACL), report)
	for _, f := range m.folders()[1:] {
		var box *imap.SelectData
		err := bounded(ctx, func(ctx context.Context) (err error) {
			box, err = c.examine(ctx, f)
			return err
		})
		switch {
		case errors.Is(err, errNoFolder):
			report(Finding{
				What: "folder " + f + " (also_search): missing, not looked into",
				Hint: "if the reader does not move mails there, take it out of also_search",
			})
		case err != nil:
			report(toFinding("folder "+f+" (also_search)", m.fail(err)))
		default:
			report(Finding{What: fmt.Sprintf("folder %s (also_search): %d messages", f, box.NumMessages)})
		}
	}
	if caps.Has(imap.CapUIDPlus) {
		report(Finding{What: "UIDPLUS: receipts name the UID of each mail"})
	} else {
		report(Finding{What: "no UIDPLUS: receipts can't name the UID of a mail", Hint: "nothing is lost by it"})
	}
}

// bounded does one step of a check.
func bounded(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, CheckTime)
	defer cancel()
	return do(ctx)
}

// checkTarget looks at the folder that mails are put in, and whether they may
// be: by the login's rights where the server tells them (ACL, RFC 4314), else
// by whether the folder opens for writing (RFC 9051 section 6.3.2).
func (m *IMAP) checkTarget(ctx context.Context, c *imapConn, acl bool, report func(Finding)) {
	var box *imap.SelectData
	err := bounded(ctx, func(ctx context.Context) (err error) {
		box, err = c.enter(ctx, m.o.Mailbox, acl)
		return err
	})
	switch {
	case errors.Is(err, errNoFolder) && m.o.Create:
		report(Finding{What: "folder " + m.o.Mailbox + ": missing, will be made"})
		return
	case err != nil:
		report(toFinding("folder "+m.o.Mailbox, m.fail(&stepError{"open folder " + m.o.Mailbox, err})))
		return
	}
	what := fmt.Sprintf("folder %s: %d messages", m.o.Mailbox, box.NumMessages)
	if !acl {
		if c.lines.isReadOnly() {
			report(Finding{What: what})
			report(m.cannotInsert("opened READ-ONLY", "let it write there"))
			return
		}
		report(Finding{What: what + ", open for writing (READ-WRITE)"})
		return
	}
	var rights imap.RightSet
	err = c.withTimeout(ctx, CheckTime, func() error {
		data, err := c.MyRights(m.o.Mailbox).Wait()
		if err == nil {
			rights = data.Rights
		}
		return err
	})
	switch {
	case err != nil || len(rights) == 0:
		report(Finding{What: what + ", the server does not tell whether mails may be put in"})
	case slices.Contains(rights, imap.RightInsert):
		report(Finding{What: what + ", mails may be put in (rights " + oneLine(rights.String()) + ")"})
	default:
		report(Finding{What: what})
		report(m.cannotInsert("rights "+oneLine(rights.String()), "give it the right to insert mails (i)"))
	}
}

// cannotInsert tells that the login may not put mails into the folder.
func (m *IMAP) cannotInsert(seen, hint string) Finding {
	return toFinding("folder "+m.o.Mailbox+": "+seen, &Error{
		Op: "imap " + m.o.Address + ": put mails into " + m.o.Mailbox, Text: "the login has no right to",
		Hint: hint,
	})
}

// describe says how the connection is protected.
func (e endpoint) describe() string {
	switch e.mode {
	case "tls":
		return "with TLS"
	case "starttls":
		return "with STARTTLS"
	}
	return "unencrypted"
}
