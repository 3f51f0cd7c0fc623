package mailbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/emersion/go-sasl"
)

// TokenSource gives access tokens for XOAUTH2. [ClientCredentials] is one.
type TokenSource interface {
	// Token gives a token that is valid now and is not refused: the token
	// that the server did not take, or empty.
	Token(ctx context.Context, refused string) (string, error)
}

// login is how to log in: a name with a password or with tokens.
type login struct {
	username string
	password string
	auth     string // plain, login or xoauth2
	token    TokenSource
}

// mechanism chooses among what the server offers. With plain (RFC 4616), a server
// that has only LOGIN, which no RFC has, gets LOGIN, and the other way round: both
// send the password.
func (l login) mechanism(offered func(mech string) bool) (string, error) {
	var wanted []string
	switch strings.ToLower(l.auth) {
	case "plain", "":
		wanted = []string{sasl.Plain, sasl.Login}
	case "login":
		wanted = []string{sasl.Login, sasl.Plain}
	case "xoauth2":
		if l.token == nil {
			return "", errors.New("auth: xoauth2 needs the settings under oauth2")
		}
		return xoauth2Name, nil // refused by name, it tells more than a list
	default:
		return "", fmt.Errorf("auth: %q is unknown: use plain, login or xoauth2", l.auth)
	}
	if i := slices.IndexFunc(wanted, offered); i >= 0 {
		return wanted[i], nil
	}
	return "", fmt.Errorf("the server offers neither %s nor %s", wanted[0], wanted[1])
}

// secrets are what the login's errors may not hold.
func (l login) secrets(token string) secrets {
	return secrets{l.password, "\x00" + l.username + "\x00" + l.password, token, xoauth2Response(l.username, token)}
}

// client speaks the mechanism.
func (l login) client(mech, token string) sasl.Client {
	switch mech {
	case sasl.Plain:
		return sasl.NewPlainClient("", l.username, l.password)
	case sasl.Login:
		return &loginClient{username: l.username, password: l.password}
	default:
		return &xoauth2Client{username: l.username, token: token}
	}
}

// loginClient is LOGIN for servers that ask in other words than "Password:",
// which is all that go-sasl's own takes.
type loginClient struct{ username, password string }

func (c *loginClient) Start() (string, []byte, error) { return sasl.Login, []byte(c.username), nil }

func (c *loginClient) Next(challenge []byte) ([]byte, error) {
	if bytes.HasPrefix(bytes.ToLower(challenge), []byte("user")) {
		return []byte(c.username), nil
	}
	return []byte(c.password), nil
}

const xoauth2Name = "XOAUTH2"

// xoauth2Client speaks XOAUTH2, as Google and Microsoft describe it: one
// response; where it fails, a challenge that tells why in JSON, which must be
// answered with nothing before the server says no.
type xoauth2Client struct {
	username, token string
	failure         string // the JSON, if it came
}

func (c *xoauth2Client) Start() (string, []byte, error) {
	return xoauth2Name, []byte(xoauth2Response(c.username, c.token)), nil
}

func (c *xoauth2Client) Next(challenge []byte) ([]byte, error) {
	c.failure = string(challenge)
	return []byte{}, nil
}

func xoauth2Response(username, token string) string {
	return "user=" + username + "\x01auth=Bearer " + token + "\x01\x01"
}
