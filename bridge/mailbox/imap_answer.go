package mailbox

import (
	"errors"
	"regexp"

	"github.com/emersion/go-imap/v2"
)

// mailboxCodes are response codes (RFC 5530 section 3, and what servers
// made up) of answers that say nothing of the mail: the same mail can go in
// when the mailbox or the server is in order again. OVERQUOTA and NOPERM are
// among them: a full mailbox refuses all mails. What to do about it stands
// beside the code.
var mailboxCodes = map[imap.ResponseCode]string{
	imap.ResponseCodeUnavailable:          "",
	imap.ResponseCodeInUse:                "",
	imap.ResponseCodeServerBug:            "",
	imap.ResponseCodeClientBug:            "",
	imap.ResponseCodeLimit:                "",
	imap.ResponseCodeAlert:                "",
	imap.ResponseCodeCorruption:           "the server says that the mailbox is damaged: ask who runs it",
	imap.ResponseCodeContactAdmin:         "ask who runs the mail server",
	imap.ResponseCodeOverQuota:            "the mailbox is full: empty it or raise its quota",
	imap.ResponseCodeNoPerm:               hintInsert,
	imap.ResponseCodeExpired:              "the login has expired",
	imap.ResponseCodePrivacyRequired:      "the server wants encryption: set tls to tls or starttls",
	imap.ResponseCodeAuthenticationFailed: "",
	imap.ResponseCodeAuthorizationFailed:  "",
	imap.ResponseCodeTryCreate:            hintFolder,
	imap.ResponseCodeNonExistent:          hintFolder,
	"THROTTLED":                           "",
	"SYS/TEMP":                            "", // Courier's
	"SYS/PERM":                            "ask who runs the mail server",
	"READ-ONLY":                           hintInsert,
	"ACL":                                 hintInsert,
}

const (
	hintInsert = "the login may not write to the folder: give it the right to insert mails"
	hintFolder = "make the folder, or set create: true"
)

var (
	// transientWords are words of a trouble that passes.
	transientWords = regexp.MustCompile(`(?i)throttl|backoff|try (again|later)|temporar|busy|too many|unavailable|(internal|server) (server )?(error|bug)|timed? ?out|in use|mailbox (is )?locked|overload|(bandwidth|rate|connections?|command) limit|resource limit|limits? (is |was |were )?(reached|exceeded)|exceeded .*limit`)
	// permanentWords are words of a trouble with the mailbox that somebody has to mend.
	permanentWords = regexp.MustCompile(`(?i)quota|(mailbox|disk|folder|account) (is )?full|no space|permission|access (is )?denied|not (allowed|permitted|authori[sz]ed)|no rights?\b|insufficient rights|read[- ]?only|(no such|unknown|nonexist\w*) (mailbox|folder)|(mailbox|folder)( \S+)? (does ?n[o']t exist|not found)|not connected`)
	// tooLargeWords are words about the size of a mail.
	tooLargeWords = regexp.MustCompile(`(?i)(message|mail|literal)\b.{0,40}(too (large|big|long)|larger|exceed)|too (large|big) (a )?(message|mail)|max\w* (message|mail) size`)
)

// transient tells whether an answer is about a passing trouble of the server.
func transient(e *imap.Error) bool {
	switch e.Code {
	case imap.ResponseCodeUnavailable, imap.ResponseCodeInUse, imap.ResponseCodeServerBug, imap.ResponseCodeLimit, "THROTTLED", "SYS/TEMP":
		return true
	case "", imap.ResponseCodeAlert:
		return e.Type == imap.StatusResponseTypeBye || transientWords.MatchString(e.Text)
	}
	return e.Type == imap.StatusResponseTypeBye || suggestedBackoff(e.Text) > 0
}

// isNoFolder tells whether the answer to an APPEND is that the folder is missing
// (RFC 9051 section 6.3.12).
func isNoFolder(err error) bool {
	var answer *imap.Error
	return errors.As(err, &answer) &&
		(answer.Code == imap.ResponseCodeTryCreate || answer.Code == imap.ResponseCodeNonExistent)
}

// appendClass is what the outcome of an APPEND means. A BAD is about the
// conversation (RFC 9051 section 7.1.3), and a NO about the mailbox if it says so; a NO that says
// nothing may be about either. With no answer at all, the server may have
// taken the mail.
func appendClass(err error) Class {
	var e *imap.Error
	if !errors.As(err, &e) {
		return Unknown
	}
	_, listed := mailboxCodes[e.Code]
	switch {
	case e.Code == imap.ResponseCodeTooBig,
		(e.Code == "" || e.Code == imap.ResponseCodeLimit) && tooLargeWords.MatchString(e.Text):
		return Final
	case e.Type != imap.StatusResponseTypeNo, listed, transientWords.MatchString(e.Text), permanentWords.MatchString(e.Text):
		return Unavailable
	}
	return Rejected
}

// failAppend is the error of an APPEND.
func (m *IMAP) failAppend(err error) *Error {
	e := m.fail(&stepError{"append to " + m.o.Mailbox, err})
	e.Class = appendClass(err)
	return e
}

// errGone is a connection that was lost between two steps.
var errGone = errors.New("the connection was lost")

// fail is the error of everything else: Unavailable, for nothing was sent.
func (m *IMAP) fail(err error) *Error {
	e, complete := failedStep("imap "+m.o.Address, err)
	if complete {
		return e
	}
	var (
		answer  *imap.Error
		bye     *goodbyeError
		refused *loginError
		failed  *connectError
	)
	hide := m.login.secrets("").hide
	switch {
	case errors.As(err, &answer):
		e.Text = answerText(answer, hide)
		e.Err = &imap.Error{Type: answer.Type, Code: imap.ResponseCode(oneLine(string(answer.Code))), Text: oneLine(hide(answer.Text))}
		e.Hint = mailboxCodes[answer.Code]
		if notConnected(answer) {
			e.Hint = hintMailbox
		}
		e.RetryAfter = suggestedBackoff(answer.Text)
	case errors.As(err, &bye):
		e.Text = oneLine(hide(bye.Error()))
		e.RetryAfter = suggestedBackoff(bye.text)
	}
	switch {
	case errors.As(err, &refused):
		e.Hint = m.login.imapHint(answer)
		e.RetryAfter = max(e.RetryAfter, loginRetryAfter)
		if refused.detail != "" {
			e.Text += " " + refused.detail
		}
	case errors.As(err, &failed):
		e.Op += ": connect"
		e.Hint = m.endpoint.dialHint(err)
		if answer != nil && m.endpoint.mode == "starttls" && !transient(answer) {
			e.Hint = "the server has no STARTTLS on this port: use tls: tls with its TLS port, as a rule 993"
		}
	case errors.Is(err, errPlaintext):
		e.Hint = plaintextHint
	case errors.Is(err, errNoFolder):
		e.Hint = hintFolder
	}
	return e
}

func answerText(e *imap.Error, hide func(string) string) string {
	text := string(e.Type)
	if e.Code != "" {
		text += " [" + string(e.Code) + "]"
	}
	return oneLine(hide(text + " " + e.Text))
}
