//go:build !unix

package bridge

import "errors"

func free(string) (bytes uint64, err error) { return 0, errors.ErrUnsupported }
