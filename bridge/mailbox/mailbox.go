// Package mailbox delivers mails and tells afterwards whether they arrived:
// into an IMAP folder, by SMTP, or as files in a directory.
//
// The three share one way of working. Deliver gets ready first: it connects,
// logs in, finds the folder, writes the temporary file. Only then does it call
// begin, and only after begin returned can the mail come into being at its
// destination. So an error before begin always means that nothing was sent;
// an error after it says in its [Class] whether that is still sure. Where it
// is not, Find asks the destination.
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

// Finding is one thing that Check looked at.
type Finding struct {
	What string // what was looked at, and what was seen: "folder INBOX: 12 messages"
	Err  error  // nil: it is as it should be
	Hint string // what the administrator can do, or should know; may be empty
}

// ErrCannotAsk is what Find returns where the destination can't tell which
// mails it has: plain SMTP without an IMAP mailbox beside it.
var ErrCannotAsk = errors.New("the mailbox can't be asked which mails it has")

// errClosed is what deliveries after Close end with.
var errClosed = errors.New("the mailbox was closed")
