package mailbox

import (
	"context"
	"errors"
	"strings"
	"time"
)

// loginConn is a connection that one can log in on.
type loginConn interface {
	conn
	withTimeout(ctx context.Context, limit time.Duration, do func() error) error
}

// dialLogin connects and logs in. A token that the server refuses is renewed
// once, on a new connection: after a failed AUTHENTICATE the old one is of no use.
func dialLogin[C loginConn](ctx context.Context, l login, connect func(context.Context) (C, error), authenticate func(c C, token string) error) (C, error) {
	c, token, err := dialOnce(ctx, l, "", connect, authenticate)
	if refused := new(loginError); token != "" && errors.As(err, &refused) {
		c, _, err = dialOnce(ctx, l, token, connect, authenticate)
	}
	return c, err
}

// dialOnce tries it once, with a token that is not the refused one. It gives the
// token that it tried.
func dialOnce[C loginConn](ctx context.Context, l login, refused string, connect func(context.Context) (C, error), authenticate func(c C, token string) error) (c C, token string, err error) {
	var none C
	if strings.EqualFold(l.auth, xoauth2Name) && l.token != nil {
		if token, err = l.token.Token(ctx, refused); err != nil {
			return none, "", err
		}
	}
	if c, err = connect(ctx); err != nil {
		return none, token, &connectError{err}
	}
	err = c.withTimeout(ctx, commandTimeout, func() error { return authenticate(c, token) })
	if err != nil {
		c.close()
		return none, token, &stepError{"log in as " + l.username, l.secrets(token).clean(err)}
	}
	return c, token, nil
}
