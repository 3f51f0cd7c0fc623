package mailbox

// Class tells what a failed delivery means.
type Class int

const (
	// Unavailable: the mailbox is ill, which says nothing about this mail: the
	// connection was lost or refused before the bytes counted, or the answer
	// was about the login, a limit, the quota, permissions, the folder. The
	// mail was not delivered.
	Unavailable Class = iota
	// Rejected: the server knew the mail, or its size and addresses, and
	// refused it in words that may be about the mail or about the mailbox.
	// Whether the mail is bad shows only if the mailbox takes another one
	// afterwards. The mail was not delivered.
	Rejected
	// Final: the same bytes will never be taken: too large, or their content
	// was refused. The mail was not delivered.
	Final
	// Unknown: the mail may have been delivered. Find tells.
	Unknown
)

// String names the class for logs.
func (c Class) String() string {
	switch c {
	case Rejected:
		return "rejected"
	case Final:
		return "final"
	case Unknown:
		return "unknown"
	default:
		return "unavailable"
	}
}
