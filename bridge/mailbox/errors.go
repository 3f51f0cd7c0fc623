package mailbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-smtp"
)

// Error is every error of this package but ErrCannotAsk and what begin
// returned. It never holds a password or a token.
type Error struct {
	Op            string        // what was being done: "imap mail.example:993: log in as backup"
	Class         Class         // what it means for the mail
	Text          string        // the server's own words; empty where it said none
	RetryAfter    time.Duration // how long the server wants to be left alone; 0: it did not say
	AskAgainAfter time.Duration // of Find: it is too early to tell; ask again after this long
	Hint          string        // what the administrator can do; may be empty
	Err           error         // the cause
}

// Error gives the operation, the server's words or the cause, and the hint.
func (e *Error) Error() string {
	s := e.cause()
	if e.Hint != "" {
		s += " (" + e.Hint + ")"
	}
	return s
}

func (e *Error) cause() string {
	text := e.Text
	if text == "" && e.Err != nil {
		text = oneLine(e.Err.Error())
	}
	return e.Op + ": " + text
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// classOf is what an error of Deliver means.
func classOf(err error) Class {
	var e *Error
	if errors.As(err, &e) {
		return e.Class
	}
	return Unavailable
}

// toFinding turns the outcome of a check into a Finding, the hint apart.
func toFinding(what string, err error) Finding {
	f := Finding{What: what, Err: err}
	var e *Error
	if errors.As(err, &e) {
		plain := *e
		plain.Hint = ""
		f.Err, f.Hint = &plain, e.Hint
	}
	return f
}

// isServerReply tells an answer of the server from a conversation that broke.
func isServerReply(err error) bool {
	var (
		imapAnswer *imap.Error
		smtpAnswer *smtp.SMTPError
	)
	return errors.As(err, &imapAnswer) || errors.As(err, &smtpAnswer)
}

// contextError says that ctx ended a wait, rather than how it was ended: by
// closing the connection under it.
func contextError(ctx context.Context, err error) error {
	switch ctx.Err() {
	case nil:
		return err
	case context.DeadlineExceeded:
		return fmt.Errorf("no answer in time: %w", ctx.Err())
	default:
		return fmt.Errorf("given up while waiting for the answer: %w", ctx.Err())
	}
}

// stepError names what was being done.
type stepError struct {
	step string
	err  error
}

func (e *stepError) Error() string { return e.step + ": " + e.err.Error() }
func (e *stepError) Unwrap() error { return e.err }

// failedStep begins the Error of a conversation that failed. complete: it is
// the token source's, which says all there is to say.
func failedStep(op string, err error) (e *Error, complete bool) {
	if errors.As(err, &e) {
		return e, true
	}
	e = &Error{Op: op, Err: err}
	var step *stepError
	if errors.As(err, &step) {
		e.Op += ": " + step.step
		e.Err = step.err
	}
	return e, false
}

// connectError is a connection that did not come about.
type connectError struct{ err error }

func (e *connectError) Error() string { return e.err.Error() }
func (e *connectError) Unwrap() error { return e.err }

// addressError is a sender or a recipient that the server would not have.
type addressError struct {
	err  error
	hint string
}

func (e *addressError) Error() string { return e.err.Error() }
func (e *addressError) Unwrap() error { return e.err }

// loginError is a login that the server refused.
type loginError struct {
	answer error  // *imap.Error or *smtp.SMTPError
	detail string // what XOAUTH2 told before the answer
}

func (e *loginError) Error() string { return e.answer.Error() }
func (e *loginError) Unwrap() error { return e.answer }

// loginRetryAfter is how long to leave a server alone that refused the login:
// trying on and on gets logins locked.
const loginRetryAfter = time.Minute
