package cove

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"covebridge/bridge/backup"
)

// visaAge is when a visa is renewed. It lives about 15 minutes; clients renew
// at 10 to 13. The time written in it is a hint only, so our own clock counts.
const visaAge = 10 * time.Minute

// maxLoginTries is how often a login is tried while Cove says that there are too many.
const maxLoginTries = 5

// visas holds the visa that calls go out with.
type visas struct {
	loggingIn *semaphore.Weighted // one login at a time: many at once answer 14409

	mu      sync.Mutex
	visa    string
	issued  time.Time
	partner int64 // customer of the login
	refused error // set once and for good
}

// visa gives a good visa; it logs in if there is none, if the one held is
// too old, or if it is stale, which a call found out.
func (c *Client) visa(ctx context.Context, stale string) (string, error) {
	if visa, err := c.visas.current(c.Now(), stale); visa != "" || err != nil {
		return visa, err
	}
	if err := c.visas.loggingIn.Acquire(ctx, 1); err != nil {
		return "", fmt.Errorf("login: %w", err)
	}
	defer c.visas.loggingIn.Release(1)
	if visa, err := c.visas.current(c.Now(), stale); visa != "" || err != nil {
		return visa, err // another call logged in meanwhile
	}
	return c.login(ctx)
}

func (v *visas) current(now time.Time, stale string) (string, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	age := now.Sub(v.issued)
	if v.refused != nil || v.visa == "" || v.visa == stale || age >= visaAge || age < 0 {
		return "", v.refused
	}
	return v.visa, nil
}

// replace takes a visa that a reply brought in place of the one held. It is as
// old as the call; the same one sent again has not become younger.
func (v *visas) replace(c *Client, visa string, sent time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if visa == v.visa || sent.Before(v.issued) {
		return
	}
	v.visa, v.issued = visa, sent
	c.secrets.addVisa(visa)
}

// login logs in, with patience where Cove says that there are too many logins.
// A refusal is remembered for good: another try would lock the user out. Only
// 2100 is one; what else fails, in whichever words, may work the next time.
func (c *Client) login(ctx context.Context) (string, error) {
	params := map[string]string{"username": c.Username, "password": c.Password}
	if c.Partner != "" {
		params["partner"] = c.Partner
	}
	for try := 1; ; try++ {
		var who loginResult
		answer, err := c.send(ctx, request{url: c.URL, method: "Login", params: params}, "", func(dec *decoder) error {
			who = loginResult{}
			return dec.decode(&who)
		})
		switch {
		case hasErrorNumber(err, errLogins) && try < maxLoginTries:
			if err := pause(ctx, retryDelay(try, nil)); err != nil {
				return "", fmt.Errorf("login: %w", err)
			}
			continue
		case hasErrorNumber(err, errLogin):
			return "", c.loginRefused(err)
		case err != nil:
			return "", err
		case answer.visa == "":
			return "", errors.New("login: the reply holds no visa: check the URL in the configuration")
		}
		c.secrets.addVisa(answer.visa)
		c.visas.mu.Lock()
		defer c.visas.mu.Unlock()
		c.visas.visa, c.visas.issued = answer.visa, answer.sent
		c.visas.partner, _ = who.Result.PartnerID.number()
		return answer.visa, nil
	}
}

// loginResult is what Login tells of the user.
type loginResult struct {
	Result struct{ PartnerID value } `json:"result"`
}

// UnmarshalJSON takes any JSON.
func (l *loginResult) UnmarshalJSON(b []byte) error {
	*l = loginResult{}
	var inner struct {
		Result row `json:"result"`
	}
	if len(b) == 0 || b[0] != '{' {
		return nil
	}
	err := json.Unmarshal(b, &inner)
	l.Result.PartnerID = inner.Result.get("partnerid")
	return err
}

func (c *Client) loginRefused(err error) error {
	var e *Error
	errors.As(err, &e)
	err = &backup.Advice{
		Err:    fmt.Errorf("%w: Cove refused the login of %s (%d: %s)", backup.ErrRefused, c.quote(c.Username), e.Number, e.Message),
		Remedy: "check username, password (an API user's password is its token) and partner (must equal the console's name, mail address included)",
	}
	c.visas.mu.Lock()
	defer c.visas.mu.Unlock()
	c.visas.refused = err
	return err
}

// partner is the customer whose devices are read; it logs in if need be.
func (c *Client) partner(ctx context.Context) (int64, error) {
	if c.PartnerID != 0 {
		return c.PartnerID, nil
	}
	if _, err := c.visa(ctx, ""); err != nil {
		return 0, err
	}
	c.visas.mu.Lock()
	defer c.visas.mu.Unlock()
	if c.visas.partner == 0 {
		return 0, errors.New("the login's reply names no customer: set partner_id in the configuration")
	}
	return c.visas.partner, nil
}

// pause waits, unless the context ends first.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
