package backup

import "errors"

// What a product's client tells in its errors, beside the cause. Test with errors.Is.
var (
	// ErrRefused: the login was refused for good; another try would lock the user out.
	ErrRefused = errors.New("login refused")
	// ErrNoHistory: the device's session history can't be read now, while its statistics can.
	ErrNoHistory = errors.New("session history not available")
)
