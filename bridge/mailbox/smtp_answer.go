package mailbox

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/emersion/go-smtp"
)

// step is how far a mail got.
type step int

const (
	inEnvelope step = iota // MAIL, RCPT or DATA
	inData                 // its bytes
	sentDot                // the final dot was on its way, which makes it count
)

// defaultFinalReplyTimeout is how long a server may think about a mail that it has in whole.
// It is more than for a command, for what is not answered then can't always
// be asked for (RFC 1047).
const defaultFinalReplyTimeout = 5 * time.Minute

var (
	// smtpUnavailableWords are words after which the next mail would fare no better.
	smtpUnavailableWords = regexp.MustCompile(`(?i)quota|(mailbox|disk|storage|account) (is )?full|insufficient (system )?storage|no space|send ?as|not allowed to send|permission|relay|throttl|rate limit|too many|limit (is )?(reached|exceeded)|try (again|later)|temporar|traffic not accepted|authenticat|blocked|blacklist|block ?list`)
	// smtpContentWords are words about what is in a mail.
	smtpContentWords = regexp.MustCompile(`(?i)content|virus|malware|attachment`)
)

// failSend is the error of a mail that got as far as that.
func (m *SMTP) failSend(err error, at step) *Error {
	e := m.fail(err)
	var answer *smtp.SMTPError
	switch {
	case errors.As(err, &answer):
		e.Class = sendClass(answer, at)
	case at == sentDot:
		e.Class = Unknown
	}
	return e
}

// sendClass is what a refusal means: 4yz passes, 5yz does not (RFC 5321 section
// 4.2.1); 5.3.4 and 5.2.3 are about a mail's size, 5.6.x about what is in it (RFC
// 3463 sections 3.4, 3.3 and 3.7). Before the dot, it is about who sends to
// whom, which is the same for each mail, unless it is about the size.
func sendClass(e *smtp.SMTPError, at step) Class {
	code := e.EnhancedCode
	tooBig := code == smtp.EnhancedCode{5, 3, 4} || code == smtp.EnhancedCode{5, 2, 3} || tooLargeWords.MatchString(e.Message)
	switch {
	case e.Code < 400:
		if at == sentDot {
			return Unknown // no answer to a mail
		}
		return Unavailable
	case e.Code < 500:
		return Unavailable
	case tooBig:
		return Final
	case at < sentDot, wantsLogin(e), isServerCode(code), smtpUnavailableWords.MatchString(e.Message):
		return Unavailable
	case code[0] == 5 && code[1] == 6, code == smtp.EnhancedCode{5, 7, 1} && smtpContentWords.MatchString(e.Message):
		return Final
	}
	return Rejected
}

// isServerCode tells of an enhanced code (RFC 3463, and Exchange's) that is
// about the mailbox, the login, the network, or who may send: 5.2.x, 5.4.x,
// and of 5.7 all that is not 5.7.0 or 5.7.1.
func isServerCode(code smtp.EnhancedCode) bool {
	return code[0] == 5 && (code[1] == 2 || code[1] == 4 || code[1] == 7 && code[2] > 1)
}

// wantsLogin tells of a refusal that is about the login, not about the mail (RFC
// 4954 section 6; 538 is of its predecessor, RFC 2554).
func wantsLogin(e *smtp.SMTPError) bool {
	return e.Code == 530 || e.Code == 534 || e.Code == 535 || e.Code == 538
}

// fail is the error of everything else: Unavailable, for nothing was sent.
func (m *SMTP) fail(err error) *Error {
	e, complete := failedStep("smtp "+m.o.Address, err)
	if complete {
		return e
	}
	var (
		answer  *smtp.SMTPError
		refused *loginError
		failed  *connectError
		address *addressError
	)
	if errors.As(err, &answer) {
		hidden := *answer
		hidden.Message = oneLine(m.login.secrets("").hide(answer.Message))
		e.Err = &hidden
		e.Text = smtpText(&hidden)
		e.Hint = m.login.smtpHint(answer)
		e.RetryAfter = suggestedBackoff(answer.Message)
		if answer.Code == 421 || answer.Code == 432 {
			e.RetryAfter = max(e.RetryAfter, time.Minute)
		}
	}
	switch {
	case errors.As(err, &refused):
		e.RetryAfter = max(e.RetryAfter, loginRetryAfter)
		if refused.detail != "" {
			e.Text += " " + refused.detail
		}
	case errors.As(err, &failed):
		e.Op += ": connect"
		if e.Hint == "" {
			e.Hint = m.connectHint(err, answer)
		}
	case errors.As(err, &address) && answer != nil && !answer.Temporary():
		e.Hint = cmp.Or(e.Hint, address.hint)
	case errors.Is(err, errPlaintext):
		e.Hint = plaintextHint
	case errors.Is(err, errNoUTF8):
		e.Hint = "write the address with plain letters before the @, or use a server with SMTPUTF8"
	}
	return e
}

// connectHint says what to do about a connection that was not made, or that
// the server would not have; answer is nil where it said nothing.
func (m *SMTP) connectHint(err error, answer *smtp.SMTPError) string {
	switch {
	case answer != nil && !answer.Temporary():
		return "the server does not take connections from here: check the address, and let this machine's address in there"
	case strings.Contains(err.Error(), "doesn't support STARTTLS"): // the client has no error of its own for it
		return "the server has no STARTTLS on this port: use tls: tls with its TLS port, as a rule 465, or its port for STARTTLS, as a rule 587"
	}
	return m.endpoint.dialHint(err)
}

func smtpText(e *smtp.SMTPError) string {
	text := fmt.Sprint(e.Code)
	if e.EnhancedCode != (smtp.EnhancedCode{}) {
		text += fmt.Sprintf(" %d.%d.%d", e.EnhancedCode[0], e.EnhancedCode[1], e.EnhancedCode[2])
	}
	return oneLine(text + " " + e.Message)
}
