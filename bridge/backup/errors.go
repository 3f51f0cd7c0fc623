package backup

import (
	"errors"
	"strings"
)

// What a product's client tells in its errors, beside the cause. Test with errors.Is.
var (
	// ErrRefused: the login was refused for good; another try would lock the user out.
	ErrRefused = errors.New("login refused")
	// ErrNoHistory: the device's session history can't be read now, while its statistics can.
	ErrNoHistory = errors.New("session history not available")
)

// Advice is an error with what an administrator can do about it.
type Advice struct {
	Err    error
	Remedy string
}

func (a *Advice) Error() string { return a.Err.Error() + ": " + a.Remedy }
func (a *Advice) Unwrap() error { return a.Err }

// Explain takes what can be done out of an error; the remedy is empty where it
// does not say. Of none, both are.
func Explain(err error) (why, remedy string) {
	if err == nil {
		return "", ""
	}
	var a *Advice
	if !errors.As(err, &a) {
		return err.Error(), ""
	}
	return strings.Replace(err.Error(), ": "+a.Remedy, "", 1), a.Remedy
}
