// Package mailbox delivers mails and tells afterwards whether they arrived:
// into an IMAP folder, by SMTP, or as files in a directory.
//
// The three share one way of working. Deliver gets ready first: it connects,
// logs in, finds the folder, writes the temporary files. Only then does it
// call begin, once for the whole batch, and only after begin returned can a
// mail come into being at its destination. So where begin was not called
// nothing was sent; afterwards each mail's [Class] says whether that is still
// sure. Where it is not, Find asks the destination.
package mailbox

import (
	"errors"
	"time"
)

// Mail is a message as it is to be delivered.
type Mail struct {
	MessageID string    // without the angle brackets; the same mail keeps it for good
	Date      time.Time // becomes the INTERNALDATE in IMAP
	From      string    // sender of the envelope
	To        []string  // recipients of the envelope; only SMTP needs them
	Bytes     []byte    // the whole message, with CRLF line ends
}

// Result is what became of one mail of a batch.
type Result struct {
	Receipt string // what the destination said to it; empty unless it was delivered
	Err     error  // nil: delivered; else an *Error, or what begin returned
}

// Query asks for one mail.
type Query struct {
	MessageID string    // without the angle brackets
	Mark      string    // what begin got when the mail was sent; empty: not known that it ever was
	Since     time.Time // the mail can't have come before that, by its Date; zero: not known
}

// Found is the answer to a Query.
type Found struct {
	Receipt string // where it is; empty unless found
	Found   bool
}

// Finding is one thing that Check looked at.
type Finding struct {
	What string // what was looked at, and what was seen: "folder INBOX: 12 messages"
	Err  error  // nil: it is as it should be
	Hint string // what the administrator can do, or should know; may be empty

	Warning bool // it works, but should not stay so
}

// CheckTime is how long each step of a check may take.
const CheckTime = 20 * time.Second

// ErrCannotAsk is what Find returns where the destination can't tell which
// mails it has: plain SMTP without an IMAP mailbox beside it.
var ErrCannotAsk = errors.New("the mailbox can't be asked which mails it has")

// errClosed is what deliveries after Close end with.
var errClosed = errors.New("the mailbox was closed")

// sameResult gives every mail of a batch the same error.
func sameResult(mails []Mail, err error) []Result {
	results := make([]Result, len(mails))
	for i := range results {
		results[i].Err = err
	}
	return results
}
