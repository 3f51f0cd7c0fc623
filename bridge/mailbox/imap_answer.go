package mailbox

import (
	"errors"
	"regexp"

	"github.com/emersion/go-imap/v2"
)

// aboutTheMailbox are response codes (RFC 5530 section 3) of answers that say
// nothing of the mail: the same mail can go in when the mailbox or the server
// is in order again. OVERQUOTA and NOPERM are among them: a full mailbox
// refuses all mails, and nobody wants to resend each by hand once it is
// emptied.
var aboutTheMailbox = map[imap.ResponseCode]string{
	imap.ResponseCodeUnavailable:          "",
	imap.ResponseCodeInUse:                "",
	imap.ResponseCodeServerBug:            "",
	imap.ResponseCodeLimit:                "",
	imap.ResponseCodeCorruption:           "the server says that the mailbox is damaged: ask who runs it",
	imap.ResponseCodeContactAdmin:         "ask who runs the mail server",
	imap.ResponseCodeOverQuota:            "the mailbox is full: empty it or raise its quota",
	imap.ResponseCodeNoPerm:               "the login may not write to the folder: give it the right to insert mails",
	imap.ResponseCodeExpired:              "the login has expired",
	imap.ResponseCodePrivacyRequired:      "the server wants encryption: set tls to tls or starttls",
	imap.ResponseCodeAuthenticationFailed: "",
	imap.ResponseCodeAuthorizationFailed:  "",
	imap.ResponseCodeTryCreate:            "make the folder, or set create: true",
	imap.ResponseCodeNonExistent:          "make the folder, or set create: true",
}

// passing are words in answers without a code that tell of a trouble that passes.
var passing = regexp.MustCompile(`(?i)throttl|backoff|try (again|later)|temporar|busy|too many|unavailable|internal (server )?error|timed? ?out|in use|mailbox (is )?(locked|full)|overloaded|over ?quota|quota exceeded|disk (is )?full|no space`)

// transient tells whether an answer is about a passing trouble of the server.
func transient(e *imap.Error) bool {
	switch e.Code {
	case imap.ResponseCodeUnavailable, imap.ResponseCodeInUse, imap.ResponseCodeServerBug, imap.ResponseCodeLimit:
		return true
	case "":
		return e.Type == imap.StatusResponseTypeBye || passing.MatchString(e.Text)
	}
	return e.Type == imap.StatusResponseTypeBye || suggestedBackoff(e.Text) > 0
}

// saysNoFolder tells whether the answer to an APPEND is that the folder is missing.
func saysNoFolder(err error) bool {
	var answer *imap.Error
	return errors.As(err, &answer) &&
		(answer.Code == imap.ResponseCodeTryCreate || answer.Code == imap.ResponseCodeNonExistent)
}

// failAppend is the error of an APPEND. Only a NO that speaks of the mail
// refuses it for good; a BAD is about the conversation. With no answer at
// all, the server may have taken the mail.
func (m *IMAP) failAppend(err error) *Error {
	e := m.fail(&stepError{"append to " + m.o.Mailbox, err})
	var answer *imap.Error
	if !errors.As(err, &answer) {
		e.Class = Unknown
		return e
	}
	if _, elsewhere := aboutTheMailbox[answer.Code]; answer.Type == imap.StatusResponseTypeNo && !elsewhere && !transient(answer) {
		e.Class = Refused
	}
	return e
}

// fail is the error of everything else: Temporary, for nothing was sent.
func (m *IMAP) fail(err error) *Error {
	e, complete := failedStep("imap "+m.o.Address, err)
	if complete {
		return e
	}
	var (
		answer  *imap.Error
		refused *loginError
		failed  *connectError
	)
	if errors.As(err, &answer) {
		hide := m.login.secrets("").hide
		e.Err = &imap.Error{Type: answer.Type, Code: answer.Code, Text: hide(answer.Text)}
		e.Text = answerText(e.Err.(*imap.Error))
		e.Hint = aboutTheMailbox[answer.Code]
		if notConnected(answer) {
			e.Hint = hintMailbox
		}
		e.RetryAfter = suggestedBackoff(answer.Text)
	}
	switch {
	case errors.As(err, &refused):
		e.Hint = m.login.imapHint(answer)
		e.RetryAfter = max(e.RetryAfter, loginPause)
		if refused.detail != "" {
			e.Text += " " + refused.detail
		}
	case errors.As(err, &failed):
		e.Op += ": connect"
		e.Hint = m.end.dialHint(err)
		if answer != nil && m.end.mode == "starttls" && !transient(answer) {
			e.Hint = "the server has no STARTTLS on this port: use tls: tls with its TLS port, as a rule 993"
		}
	case errors.Is(err, errPlaintext):
		e.Hint = plaintextHint
	case errors.Is(err, errNoFolder):
		e.Hint = "make the folder, or set create: true"
	}
	return e
}

func answerText(e *imap.Error) string {
	text := string(e.Type)
	if e.Code != "" {
		text += " [" + string(e.Code) + "]"
	}
	return oneLine(text + " " + e.Text)
}
