package mailbox

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/emersion/go-imap/v2"
)

// Check connects, logs in and looks at the folders, without changing
// anything. The error is ctx's, if that ended it; what is wrong with the
// mailbox is in the findings.
func (m *IMAP) Check(ctx context.Context) ([]Finding, error) {
	c, err := m.dial(ctx)
	if err != nil {
		return []Finding{finding("imap "+m.o.Address+": connect and log in", m.fail(err))}, ctx.Err()
	}
	defer c.close()
	findings := []Finding{{What: fmt.Sprintf("imap %s: logged in as %s, %s", m.o.Address, m.o.Username, m.end.describe())}}

	folder, there := m.checkTarget(ctx, c)
	findings = append(findings, folder)
	caps, err := c.capabilities(ctx)
	if err != nil {
		return append(findings, finding("capabilities", m.fail(&stepError{"ask for capabilities", err}))), ctx.Err()
	}
	if there && caps.Has(imap.CapACL) {
		findings = append(findings, m.checkRights(ctx, c)...)
	}
	for _, f := range m.folders()[1:] {
		box, err := c.examine(ctx, f)
		switch {
		case errors.Is(err, errNoFolder):
			findings = append(findings, Finding{
				What: "folder " + f + " (also_search): missing, not looked into",
				Hint: "if the reader does not move mails there, take it out of also_search",
			})
		case err != nil:
			findings = append(findings, finding("folder "+f+" (also_search)", m.fail(err)))
		default:
			findings = append(findings, Finding{What: fmt.Sprintf("folder %s (also_search): %d messages", f, box.NumMessages)})
		}
	}
	if caps.Has(imap.CapUIDPlus) {
		findings = append(findings, Finding{What: "UIDPLUS: receipts name the UID of each mail"})
	} else {
		findings = append(findings, Finding{What: "no UIDPLUS: receipts can't name the UID of a mail", Hint: "nothing is lost by it"})
	}
	return findings, ctx.Err()
}

// capabilities asks for them anew: after a login the client may still hold those from before.
func (c *imapConn) capabilities(ctx context.Context) (caps imap.CapSet, err error) {
	err = c.within(ctx, commandTimeout, func() (err error) {
		caps, err = c.Capability().Wait()
		return err
	})
	return caps, err
}

// checkTarget looks at the folder that mails are put in.
func (m *IMAP) checkTarget(ctx context.Context, c *imapConn) (f Finding, there bool) {
	box, err := c.examine(ctx, m.o.Mailbox)
	switch {
	case errors.Is(err, errNoFolder) && m.o.Create:
		return Finding{What: "folder " + m.o.Mailbox + ": missing, will be made"}, false
	case err != nil:
		return finding("folder "+m.o.Mailbox, m.fail(&stepError{"open folder " + m.o.Mailbox, err})), false
	}
	return Finding{What: fmt.Sprintf("folder %s: %d messages", m.o.Mailbox, box.NumMessages)}, true
}

// checkRights asks whether mails may be put in, where the server can tell
// without it being tried (ACL, RFC 4314).
func (m *IMAP) checkRights(ctx context.Context, c *imapConn) []Finding {
	var rights imap.RightSet
	err := c.within(ctx, commandTimeout, func() error {
		data, err := c.MyRights(m.o.Mailbox).Wait()
		if err == nil {
			rights = data.Rights
		}
		return err
	})
	if err != nil || len(rights) == 0 || slices.Contains(rights, imap.RightInsert) {
		return nil
	}
	return []Finding{finding("folder "+m.o.Mailbox+": rights "+oneLine(rights.String()), &Error{
		Op: "imap " + m.o.Address + ": put mails into " + m.o.Mailbox, Text: "the login has no right to",
		Hint: "give it the right to insert mails (i)",
	})}
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
