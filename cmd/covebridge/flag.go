package main

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/pflag"
)

// plainFlag says in plain words what a flag takes.
func plainFlag(err error) error {
	var value *pflag.InvalidValueError
	if !errors.As(err, &value) {
		return err
	}
	wanted := map[string]string{
		"int": "a whole number", "uint64": "a whole number, 0 or more", "limit": "a whole number, 0 or more",
		"float64": "a number", "bool": "true or false", "duration": "a duration such as 90s or 15m",
	}[value.GetFlag().Value.Type()]
	if wanted == "" {
		return err
	}
	return fmt.Errorf("--%s: %s is expected, not %q", value.GetFlag().Name, wanted, value.GetValue())
}

// limit is a flag for how many there may be at most; 0: all.
type limit struct{ n *int }

func (l limit) String() string {
	if l.n == nil {
		return "0"
	}
	return fmt.Sprint(*l.n)
}

func (limit) Type() string { return "limit" }

func (l limit) Set(s string) error {
	n, err := strconv.Atoi(s)
	if err == nil && n < 0 {
		err = strconv.ErrRange
	}
	*l.n = n
	return err
}
