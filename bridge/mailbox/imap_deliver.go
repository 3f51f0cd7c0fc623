package mailbox

import (
	"context"
	"slices"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// Deliver appends the mails to the folder, on one connection. begin gets where
// the folder stood before. The receipts name UIDs where the server tells them
// (UIDPLUS, RFC 4315).
//
// Where the server has LITERAL+ or LITERAL- (RFC 7888), mails of at most 4,096
// bytes go out without waiting for each other's answers; all others go out one
// after the other. Once the server is ill, the rest is not tried.
func (m *IMAP) Deliver(ctx context.Context, mails []Mail, begin func(mark string) error) []Result {
	if len(mails) == 0 {
		return nil
	}
	c, err := m.pool.get(ctx, m.ready)
	if err != nil {
		return sameResult(mails, m.fail(err))
	}
	defer func() { m.pool.put(c) }()
	if err := begin(m.mark()); err != nil {
		return sameResult(mails, err)
	}
	results := make([]Result, len(mails))
	rest := make([]int, len(mails))
	for i := range rest {
		rest[i] = i
	}
	for made := false; ; {
		var missing error // of the folder
		rest, missing, err = m.appendAll(ctx, c, mails, rest, results, m.o.Create && !made)
		made = made || missing != nil
		if len(rest) == 0 {
			return results
		}
		if err == nil {
			// The folder went away, and is made anew; or the server refused a
			// mail before it saw its bytes, upon which the client hangs up.
			c.folderSeen = false
			if err = m.renew(ctx, &c); err == nil {
				continue
			}
		}
		for _, i := range rest {
			results[i].Err = err
		}
		return results
	}
}

// renew gets a connection ready for the rest of a batch.
func (m *IMAP) renew(ctx context.Context, c **imapConn) error {
	if (*c).reusable() && m.ready(ctx, *c) == nil {
		return nil
	}
	(*c).close()
	again, err := m.pool.dialReady(ctx, m.ready)
	if err != nil {
		return m.fail(err)
	}
	*c = again
	return nil
}

// appendAll appends the mails at these places and notes what became of them.
// It gives back the places of those that were not begun, or can be begun again
// once the folder is made; missing is the answer that tells of the latter. err
// is what makes trying them pointless now.
func (m *IMAP) appendAll(ctx context.Context, c *imapConn, mails []Mail, places []int, results []Result, create bool) (rest []int, missing, err error) {
	sent := c.append(ctx, m.o.Mailbox, mails, places)
	for n, i := range places {
		switch a := sent[n]; {
		case !a.begun:
			rest = append(rest, i)
		case a.err == nil:
			results[i].Receipt = m.receipt(a.data)
		case create && isNoFolder(a.err):
			rest, missing = append(rest, i), a.err
		default:
			failed := m.failAppend(a.err)
			results[i].Err = failed
			if failed.Class == Unavailable {
				err = failed
			} else if failed.Class == Unknown && err == nil {
				broke := *failed // for the rest, which was not begun
				broke.Class = Unavailable
				err = &broke
			}
		}
	}
	if err == nil && missing == nil && len(rest) == len(places) { // the connection was gone before the first
		err = m.fail(&stepError{"append to " + m.o.Mailbox, errGone})
	}
	slices.Sort(rest)
	return rest, missing, err
}

// receipt names the mail, and learns where the folder stands now.
func (m *IMAP) receipt(data *imap.AppendData) string {
	if data.UID == 0 {
		m.resetMark()
		return "imap " + m.o.Mailbox
	}
	m.updateMark(data.UIDValidity, data.UID+1)
	return imapReceipt(m.o.Mailbox, data.UID, data.UIDValidity)
}

// maxNonSyncLiteral is the largest literal that goes out without the server's go-ahead.
// LITERAL- allows no more (RFC 9051 section 4.3), and the client keeps to it with
// LITERAL+ too.
const maxNonSyncLiteral = 4096

// pendingAppend is what became of one APPEND.
type pendingAppend struct {
	begun bool
	cmd   *imapclient.AppendCommand
	data  *imap.AppendData
	err   error
}

// append sends the mails at these places and waits for the answers. It stops
// at the first sign that going on is no use.
func (c *imapConn) append(ctx context.Context, folder string, mails []Mail, places []int) []pendingAppend {
	sent := make([]pendingAppend, len(places))
	var broke error
	err := c.withTimeout(ctx, batchTimeout, func() error {
		runs := c.Caps().Has(imap.CapLiteralMinus)
		small := func(n int) bool { return runs && len(mails[places[n]].Bytes) <= maxNonSyncLiteral }
		for n := range sent {
			if small(n) && c.usable() {
				sent[n].send(c, folder, mails[places[n]])
			}
		}
		ill := false
		for n := range sent {
			if sent[n].begun && !sent[n].wait() {
				ill = true
			}
		}
		for n := range sent {
			if !small(n) && !ill && c.usable() {
				sent[n].send(c, folder, mails[places[n]])
				ill = !sent[n].wait()
			}
		}
		for _, a := range sent {
			if a.err != nil && !isServerReply(a.err) {
				broke = a.err
			}
		}
		return broke
	})
	for n := range sent { // ctx, silence or the server's goodbye say more than a closed connection
		if sent[n].err != nil && !isServerReply(sent[n].err) {
			sent[n].err = err
		}
	}
	return sent
}

// usable tells whether an APPEND can be begun on the connection.
func (c *imapConn) usable() bool {
	select {
	case <-c.Closed():
		return false
	default:
		return !c.broken
	}
}

// send sends one mail.
func (a *pendingAppend) send(c *imapConn, folder string, mail Mail) {
	a.begun = true
	a.cmd = c.Append(folder, int64(len(mail.Bytes)), &imap.AppendOptions{Time: mail.Date})
	_, writeErr := a.cmd.Write(mail.Bytes)
	closeErr := a.cmd.Close()
	if writeErr != nil || closeErr != nil {
		c.broken = true // after a refusal in place of the go-ahead, too, the client closes the connection
	}
}

// wait waits for the answer, and tells whether the server is well.
func (a *pendingAppend) wait() bool {
	a.data, a.err = a.cmd.Wait()
	return a.err == nil || isServerReply(a.err) && appendClass(a.err) != Unavailable || isNoFolder(a.err)
}
